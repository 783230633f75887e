//! [Einsum](https://onnx.ai/onnx/operators/onnx__Einsum.html), version 12.
//!
//! Of tensors of one type; `equation` names the dimensions of each, and those of the output after `->`.

use crate::error::{Result, invalid};
use crate::kernels::contraction::labels::{Label, Labelling, Labels};
use crate::onnx::attributes::Attributes;
use crate::operator::Built;
use crate::ops::math::product::Product;

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let equation = attributes.string("equation")?;
    let equation = equation.ok_or_else(|| attributes.missing("equation"))?;
    Ok(Built::operator(Product::new(Equation::parse(equation)?)))
}

/// The dimensions of a tensor.
#[derive(Debug, PartialEq, Eq)]
struct Term {
    letters: Vec<Label>,
    /// Before which of these letters the ellipsis is, if there is one.
    ellipsis: Option<usize>,
}

#[derive(Debug)]
struct Equation {
    terms: Vec<Term>,
    output: Term,
    /// How many letters there are.
    n_letters: usize,
}

fn wrong(what: impl std::fmt::Display) -> crate::error::Error {
    invalid(format!("attribute equation: {what}"))
}

impl Equation {
    fn parse(equation: &str) -> Result<Self> {
        let equation: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
        let Some((inputs, output)) = equation.split_once("->") else {
            return Err(wrong(format!("{equation:?} names no output")));
        };
        let mut letters = vec![];
        let mut parse = |term: &str| Term::parse(term, &mut letters);
        let terms = inputs.split(',').map(&mut parse).collect::<Result<_>>()?;
        let output = parse(output)?;
        Ok(Self {
            terms,
            output,
            n_letters: letters.len(),
        })
    }
}

impl Term {
    /// Reads `term`, whose letters are labelled by their places among `letters`.
    fn parse(term: &str, letters: &mut Vec<char>) -> Result<Self> {
        let (before, after) = match term.split_once("...") {
            Some((before, after)) => (before, Some(after)),
            None => (term, None),
        };
        let labels = before.chars().chain(after.unwrap_or_default().chars());
        let labels = labels.map(|letter| {
            if !letter.is_ascii_alphabetic() {
                return Err(wrong(format!("{letter:?} in {term:?} is no letter")));
            }
            let known = letters.iter().position(|&other| other == letter);
            Ok(known.unwrap_or_else(|| {
                letters.push(letter);
                letters.len() - 1
            }))
        });
        Ok(Self {
            letters: labels.collect::<Result<_>>()?,
            ellipsis: after.map(|_| before.len()),
        })
    }

    /// The labels of its dimensions, if `hidden` are those of the ellipsis.
    fn labels(&self, hidden: impl Iterator<Item = Label>) -> Vec<Label> {
        let mut labels = self.letters.clone();
        if let Some(at) = self.ellipsis {
            labels.splice(at..at, hidden);
        }
        labels
    }
}

impl Labelling for Equation {
    fn labels(&self, ranks: &[usize]) -> Result<Labels> {
        let n_terms = self.terms.len();
        if n_terms != ranks.len() {
            return Err(wrong(format!("{n_terms} terms for {} inputs", ranks.len())));
        }
        // How many dimensions the ellipsis of each term stands for.
        let mut hidden = vec![];
        for (index, (term, &rank)) in self.terms.iter().zip(ranks).enumerate() {
            hidden.push(match rank.checked_sub(term.letters.len()) {
                Some(0) => 0,
                Some(more) if term.ellipsis.is_some() => more,
                _ => {
                    let named = term.letters.len();
                    return Err(wrong(format!(
                        "term {index} names {named} dimensions of {rank}"
                    )));
                }
            });
        }
        let most = hidden.iter().copied().max().unwrap_or(0);
        // Where they are fewer they are the last, as dimensions broadcast.
        let label = |n: usize| (self.n_letters + most - n)..(self.n_letters + most);
        let terms = self.terms.iter().zip(hidden);
        let factors = terms.map(|(term, n)| term.labels(label(n))).collect();
        Labels::new(factors, self.output.labels(label(most)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(equation: &str, ranks: &[usize]) -> Result<Labels> {
        Equation::parse(equation)?.labels(ranks)
    }

    #[test]
    fn ellipses_are_dimensions() {
        for (equation, ranks, expected) in [
            ("ij,jk->ik", &[2, 2][..], "ij,jk->ik"),
            ("...ii->...i", &[6], "abcdii->abcdi"),
            ("...mk, ...kn -> ...mn", &[4, 4], "abmk,abkn->abmn"),
            ("...ab,...bc->...ac", &[4, 4], "deab,debc->deac"),
            ("...gi,...gih->...gh", &[4, 3], "abgi,gih->abgh"),
            ("i...,...->...i", &[3, 1], "iab,b->abi"),
            ("...,...->...", &[0, 0], ",->"),
        ] {
            let got = labels(equation, ranks).expect("an equation");
            let ranks: Vec<usize> = got.factors().iter().map(Vec::len).collect();
            let expected = labels(expected, &ranks).expect("an equation");
            assert!(got.are_those_of(&expected), "{equation}: {got:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_equation() {
        for (equation, ranks) in [
            ("ij->i", &[3][..]),
            ("ij,jk->ik", &[2]),
            ("...ij->i", &[1]),
            ("ij", &[2]),
            ("ij->ii", &[2]),
            ("ij->k", &[2]),
            ("i1->i", &[2]),
            ("......i->i", &[1]),
            ("i.j->i", &[2]),
            ("ij->i->j", &[2]),
            ("...->...", &[65]),
        ] {
            assert!(labels(equation, ranks).is_err(), "{equation}");
        }
    }
}
