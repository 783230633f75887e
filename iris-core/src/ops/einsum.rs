//! [Einsum](https://onnx.ai/onnx/operators/onnx__Einsum.html), version 12.
//!
//! Of tensors of one type; `equation` names the dimensions of each, and those of the output after `->`.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::barrier::wire_product;
use super::lowered::lowered;
use super::stock::{Built, built};

pub(super) fn einsum(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let equation: String = node.get_attr("equation")?;
    built(lowered(
        context,
        node,
        usize::MAX,
        move |name, model, inputs| {
            let ranks = inputs
                .iter()
                .map(|&input| Ok(model.outlet_fact(input)?.rank()));
            let ranks: Vec<usize> = ranks.collect::<TractResult<_>>()?;
            let axes = without_ellipses(&equation, &ranks)?.parse()?;
            wire_product(name, model, axes, inputs)
        },
    ))
}

/// `equation` with letters in the places of the ellipses, of inputs that have so many dimensions.
fn without_ellipses(equation: &str, ranks: &[usize]) -> TractResult<String> {
    let equation: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
    let Some((inputs, output)) = equation.split_once("->") else {
        bail!("attribute equation: {equation:?} names no output");
    };
    let terms: Vec<&str> = inputs.split(',').collect();
    if terms.len() != ranks.len() {
        bail!(
            "attribute equation: {} terms for {} inputs",
            terms.len(),
            ranks.len()
        );
    }
    // How many dimensions the ellipsis of each term stands for.
    let mut hidden = vec![];
    for (term, &rank) in terms.iter().zip(ranks) {
        let named = term.replace("...", "").chars().count();
        hidden.push(match rank.checked_sub(named) {
            Some(0) => 0,
            Some(more) if term.contains("...") => more,
            _ => bail!("attribute equation: {term:?} for {rank} dimensions"),
        });
    }
    let most = hidden.iter().copied().max().unwrap_or(0);
    let letters: Vec<char> = ('a'..='z')
        .chain('A'..='Z')
        .filter(|&letter| !equation.contains(letter))
        .take(most)
        .collect();
    if letters.len() < most {
        bail!("attribute equation: too many dimensions");
    }
    // Where they are fewer they are the last, as dimensions broadcast.
    let fill =
        |term: &str, n: usize| term.replace("...", &letters[most - n..].iter().collect::<String>());
    let filled = terms.iter().zip(hidden).map(|(term, n)| fill(term, n));
    let inputs = filled.collect::<Vec<_>>().join(",");
    Ok(format!("{inputs}->{}", fill(output, most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_take_the_places_of_ellipses() {
        for (equation, ranks, expected) in [
            ("ij,jk->ik", &[2, 2][..], "ij,jk->ik"),
            ("...ii->...i", &[6], "abcdii->abcdi"),
            ("...mk, ...kn -> ...mn", &[4, 4], "abmk,abkn->abmn"),
            ("...ab,...bc->...ac", &[4, 4], "deab,debc->deac"),
            ("...gi,...gih->...gh", &[4, 3], "abgi,gih->abgh"),
        ] {
            let got = without_ellipses(equation, ranks).expect("an equation");
            assert_eq!(got, expected);
        }
        for (equation, ranks) in [
            ("ij->i", &[3][..]),
            ("ij,jk->ik", &[2]),
            ("...ij->i", &[1]),
            ("ij", &[2]),
        ] {
            assert!(without_ellipses(equation, ranks).is_err(), "{equation}");
        }
    }
}
