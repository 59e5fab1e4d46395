//! The graph of who reaches what, for Graphviz: `dot -Tsvg`.
//!
//! A node's shape tells its kind. An edge is solid if it was measured, dashed
//! if it is an upper bound, dotted if nobody could tell.

use std::io::{self, Write};

use super::sanitize::Masker;
use super::{Options, Reporter};
use crate::model::Report;
use crate::model::radius::{Certainty, Edge, Node, NodeKind};

/// Characters of a label; the name of the node is whole.
const LABEL: usize = 80;

/// Writes `dot`.
pub(super) struct Dot(pub Options);

impl Reporter for Dot {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let masker = Masker::new(report, self.0.show_secrets);
        writeln!(out, "digraph tokensweep {{")?;
        writeln!(out, "  graph [charset=\"UTF-8\", rankdir=\"LR\"];")?;
        writeln!(out, "  node [fontname=\"sans-serif\"];")?;
        writeln!(out, "  edge [fontname=\"sans-serif\", fontsize=\"10\"];")?;
        if let Some(response) = &report.response {
            for node in &response.graph.nodes {
                write_node(node, &masker, out)?;
            }
            for edge in &response.graph.edges {
                write_edge(edge, &masker, out)?;
            }
        }
        writeln!(out, "}}")
    }
}

fn write_node(node: &Node, masker: &Masker<'_>, out: &mut dyn Write) -> io::Result<()> {
    let id = quoted(&masker.told(&node.id));
    let label = label(&node.label, masker);
    writeln!(out, "  {id} [label={label}, shape=\"{}\"];", shape(node.kind))
}

fn write_edge(edge: &Edge, masker: &Masker<'_>, out: &mut dyn Write) -> io::Result<()> {
    let [from, to] = [&edge.from, &edge.to].map(|id| quoted(&masker.told(id)));
    let (relation, how) = (label(edge.relation, masker), label(&edge.how, masker));
    let style = style(edge.certainty);
    writeln!(out, "  {from} -> {to} [label={relation}, tooltip={how}, style=\"{style}\"];")
}

fn shape(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Credential => "note",
        NodeKind::Account => "ellipse",
        NodeKind::Org => "doubleoctagon",
        NodeKind::Package => "box",
        NodeKind::Repository => "cylinder",
        NodeKind::Project => "folder",
        NodeKind::Dependents => "box3d",
    }
}

fn style(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Measured => "solid",
        Certainty::UpperBound => "dashed",
        Certainty::Refused | Certainty::Unknown => "dotted",
    }
}

/// Text for people. Graphviz reads the entities of HTML in it.
fn label(text: &str, masker: &Masker<'_>) -> String {
    let text = masker.told(text);
    let mut short: String = text.chars().take(LABEL).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    quoted(&short.replace('&', "&amp;"))
}

/// A string of the language. Backslashes are doubled everywhere: before some
/// letters one stands for the name of the graph, or breaks the line.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
