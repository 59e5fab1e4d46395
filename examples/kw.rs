fn main() {
    let rules = tokensweep::rules::RuleSet::shipped();
    let mut v: Vec<_> = rules
        .rules
        .iter()
        .map(|r| {
            (
                r.compiled.keywords.len(),
                r.id.clone(),
                r.compiled
                    .keywords
                    .iter()
                    .map(|k| String::from_utf8_lossy(&k.text).into_owned())
                    .collect::<Vec<_>>(),
                r.compiled.keywords[0].lead,
            )
        })
        .collect();
    v.sort();
    v.reverse();
    println!("{}", v.iter().map(|x| x.0).sum::<usize>());
    for x in v.iter().take(45) {
        println!("{:?}", x);
    }
}
