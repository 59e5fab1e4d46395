use std::sync::Arc;
use std::time::Instant;
fn main() {
    let rules = Arc::new(tokensweep::rules::RuleSet::shipped());
    let t = Instant::now();
    let m = tokensweep::matcher::Matcher::new(rules);
    println!("build {:?}, {} keywords", t.elapsed(), m.keywords().len());
    let mut short: Vec<_> = m
        .keywords()
        .iter()
        .filter(|k| k.text.len() < 5)
        .map(|k| (String::from_utf8_lossy(&k.text).into_owned(), k.fold))
        .collect();
    short.sort();
    println!("{short:?}");
    for path in std::env::args().skip(1) {
        let text = std::fs::read(&path).unwrap();
        let (a, b, c) = m.prefilter().sieved(&text);
        let mut best = f64::MAX;
        let mut hits = std::collections::HashMap::<usize, usize>::new();
        for _ in 0..7 {
            hits.clear();
            let t = Instant::now();
            let mut n = 0;
            m.prefilter().search(&text, 0..text.len(), |_, _| n += 1);
            best = best.min(t.elapsed().as_secs_f64());
            std::hint::black_box(n);
        }
        m.prefilter().search(&text, 0..text.len(), |k, _| *hits.entry(k).or_default() += 1);
        let n = text.len() as f64;
        let total: usize = hits.values().sum();
        println!(
            "{path}: {:.2} GB/s; first {:.3}%, second {:.4}%, long {:.4}%, hits {:.4}%",
            n / best / 1e9,
            a as f64 / n * 100.,
            b as f64 / n * 100.,
            total as f64 / n * 100.
        );
        let mut top: Vec<_> = hits
            .into_iter()
            .map(|(k, c)| (c, String::from_utf8_lossy(&m.keywords()[k].text).into_owned()))
            .collect();
        top.sort();
        top.reverse();
        println!("{:?}", &top[..top.len().min(25)]);
    }
}
