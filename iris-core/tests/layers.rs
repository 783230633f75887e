//! Each folder of `src` imports from the folders below it and from no other: no arrow goes up, and there are no circles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The folders, and which others each may import, from the top to the bottom. A file beside the folders is one itself.
#[rustfmt::skip]
const LAYERS: &[(&str, &[&str])] = &[
    ("lib", &["model", "load", "registry", "onnx", "value", "guard", "error"]),
    ("model", &["plan", "load", "rewrite", "operator", "onnx", "kernels", "value", "guard", "error"]),
    ("plan", &["registry", "control", "optimize", "ops", "programs", "rewrite", "operator", "onnx", "value", "guard", "error"]),
    ("load", &["registry", "onnx", "guard", "error"]),
    ("registry", &["control", "ops", "operator", "onnx", "guard", "error"]),
    ("control", &["optimize", "operator", "onnx", "value", "guard", "error"]),
    ("optimize", &["ops", "operator", "kernels", "value", "guard", "error"]),
    ("ops", &["operator", "onnx", "kernels", "value", "guard", "error"]),
    ("programs", &["operator", "onnx", "kernels", "value", "error"]),
    ("rewrite", &["operator", "onnx", "kernels", "value", "guard", "error"]),
    ("operator", &["onnx", "kernels", "value", "guard", "error"]),
    ("onnx", &["value", "guard", "error"]),
    ("kernels", &["guard", "error"]),
    ("value", &["guard", "error"]),
    ("guard", &["error"]),
    ("error", &[]),
];

/// Folders of numbers only, which may not name tract.
const PURE: &[&str] = &["kernels"];

/// What is not as it should be yet, as the test says it but without the line: `file: what`. The list may only become shorter.
#[rustfmt::skip]
const KNOWN: &[&str] = &[];

/// A file of `src`: its path there, and its text.
type Source = (String, String);

#[test]
fn every_arrow_goes_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = vec![];
    read(&src, "", &mut sources);
    let found = violations(&sources);
    let key = |violation: &str| {
        let mut parts = violation.splitn(3, ':');
        let file = parts.next().unwrap_or_default();
        let what = parts.nth(1).unwrap_or_default();
        format!("{file}:{what}")
    };
    let keys: BTreeSet<String> = found.iter().map(|violation| key(violation)).collect();
    let new: Vec<&str> = found
        .iter()
        .filter(|violation| !KNOWN.contains(&key(violation).as_str()))
        .map(String::as_str)
        .collect();
    assert!(new.is_empty(), "\n{}\n", new.join("\n"));
    let gone: Vec<&&str> = KNOWN
        .iter()
        .filter(|known| !keys.contains(**known))
        .collect();
    assert!(
        gone.is_empty(),
        "no longer so, to be taken from the list: {gone:?}"
    );
}

fn read(folder: &Path, name: &str, sources: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).expect("a folder");
    for entry in entries {
        let path = entry.expect("an entry").path();
        let file = path.file_name().expect("a name").to_string_lossy();
        let name = if name.is_empty() {
            file.into_owned()
        } else {
            format!("{name}/{file}")
        };
        if path.is_dir() {
            read(&path, &name, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push((name, fs::read_to_string(&path).expect("a text")));
        }
    }
    sources.sort();
}

/// Everything that is not as [`LAYERS`] and [`PURE`] say, as `file:line: what`.
fn violations(sources: &[Source]) -> Vec<String> {
    let mut found = table_violations();
    let files: BTreeMap<Vec<&str>, &str> = sources
        .iter()
        .map(|(file, _)| (module_of(file), file.as_str()))
        .collect();
    let parsed: BTreeMap<&str, Parsed> = sources
        .iter()
        .map(|(file, text)| (file.as_str(), parse(file, text)))
        .collect();
    let tests: BTreeSet<&str> = parsed
        .iter()
        .flat_map(|(file, parsed)| {
            let of = |name: &String| {
                let mut module = module_of(file);
                module.push(name);
                files.get(&module).copied()
            };
            parsed.test_files.iter().filter_map(of).collect::<Vec<_>>()
        })
        .collect();
    let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (&file, parsed) in parsed.iter().filter(|(file, _)| !tests.contains(**file)) {
        let folder = folder_of(file);
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == folder) else {
            found.push(format!("{file}:1: {folder} is not in the table"));
            continue;
        };
        for (line, path) in &parsed.paths {
            let Some(target) = target_of(path, &files) else {
                // What `lib.rs` itself defines or hands on.
                if folder != "lib" {
                    let path = path.join("::");
                    found.push(format!(
                        "{file}:{line}: {folder} may not import lib: {path}"
                    ));
                }
                continue;
            };
            if target == file {
                continue;
            }
            arrows.entry(file).or_default().insert(target);
            let other = folder_of(target);
            if other != folder && !allowed.contains(&other) {
                found.push(format!("{file}:{line}: {folder} may not import {other}"));
            }
        }
        if PURE.contains(&folder) {
            for line in &parsed.tract {
                found.push(format!("{file}:{line}: {folder} may not name tract"));
            }
        }
    }
    found.extend(folder_circles(&arrows));
    found.extend(file_circles(&arrows));
    found.dedup();
    found
}

/// Where the table itself lets an arrow go up.
fn table_violations() -> Vec<String> {
    let below = |at: usize, other: &str| LAYERS[at + 1..].iter().any(|(name, _)| *name == other);
    let rows = LAYERS.iter().enumerate();
    rows.flat_map(|(at, (folder, allowed))| {
        let up = allowed.iter().filter(move |other| !below(at, other));
        up.map(move |other| format!("table: {other} is not below {folder}"))
    })
    .collect()
}

/// The names on the way to the module that a file is.
fn module_of(file: &str) -> Vec<&str> {
    let path = file.strip_suffix(".rs").unwrap_or(file);
    let mut names: Vec<&str> = path.split('/').collect();
    if names.last() == Some(&"mod") || names == ["lib"] {
        names.pop();
    }
    names
}

/// The folder of the table that a file is in.
fn folder_of(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or(file);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// The file whose module a path below the crate's root leads to or into, if it leads out of the root.
fn target_of<'f>(path: &[String], files: &BTreeMap<Vec<&str>, &'f str>) -> Option<&'f str> {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    (1..=names.len())
        .rev()
        .find_map(|len| files.get(&names[..len]).copied())
}

/// Folders that lie side by side and import each other, by however many others.
fn folder_circles(arrows: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let mut levels: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for (&from, targets) in arrows {
        for &to in targets {
            let same = from.split('/').zip(to.split('/'));
            let shared: usize = same
                .take_while(|(a, b)| a == b)
                .map(|(name, _)| name.len() + 1)
                .sum();
            let child = |file: &'_ str| file[shared..].find('/').map(|len| shared + len);
            if let (Some(a), Some(b)) = (child(from), child(to)) {
                let level = levels.entry(&from[..shared]).or_default();
                level.entry(&from[..a]).or_default().insert(&to[..b]);
            }
        }
    }
    let circles = levels.values().flat_map(circles);
    circles
        .map(|circle| {
            format!(
                "{}:1: a circle of folders: {}",
                circle[0],
                circle.join(", ")
            )
        })
        .collect()
}

/// Files of several folders that import each other, by however many others.
fn file_circles(arrows: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let folder = |file: &str| file.rfind('/').map_or(0, |at| at);
    let circles = circles(arrows).into_iter().filter(|circle| {
        let first = &circle[0][..folder(circle[0])];
        circle.iter().any(|file| &file[..folder(file)] != first)
    });
    circles
        .map(|circle| format!("{}:1: a circle of files: {}", circle[0], circle.join(", ")))
        .collect()
}

/// The largest sets of several nodes from each of which arrows lead to all the others.
fn circles<'n>(arrows: &BTreeMap<&'n str, BTreeSet<&'n str>>) -> Vec<Vec<&'n str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = arrows
        .keys()
        .map(|&node| {
            let mut reached = BTreeSet::new();
            let mut next = vec![node];
            while let Some(node) = next.pop() {
                let targets = arrows.get(node).into_iter().flatten();
                next.extend(targets.filter(|target| reached.insert(**target)));
            }
            (node, reached)
        })
        .collect();
    let leads = |from: &str, to: &str| reached.get(from).is_some_and(|all| all.contains(to));
    let circles: BTreeSet<Vec<&str>> = arrows
        .keys()
        .map(|&node| {
            let back = |other: &&&str| leads(node, other) && leads(other, node);
            arrows.keys().filter(back).copied().collect()
        })
        .filter(|circle: &Vec<&str>| circle.len() > 1)
        .collect();
    circles.into_iter().collect()
}

/// What a file says of others.
#[derive(Default)]
struct Parsed {
    /// Each path that begins at the crate's root, without `crate`, and its line.
    paths: Vec<(usize, Vec<String>)>,
    /// The lines that name tract.
    tract: Vec<usize>,
    /// The modules beside or below the file that only tests have.
    test_files: Vec<String>,
}

/// A word or a sign of Rust, and its line. Comments, texts and characters are none.
type Token<'t> = (usize, &'t str);

fn parse(file: &str, text: &str) -> Parsed {
    let tokens = tokens(text);
    let words: Vec<&str> = tokens.iter().map(|(_, word)| *word).collect();
    let mut parsed = Parsed::default();
    let mut at = 0;
    while at < words.len() {
        if let Some((name, end)) = test_module(&words[at..]) {
            if words[at + end - 1] == ";" {
                parsed.test_files.push(name.to_owned());
            }
            at += end;
            continue;
        }
        let (line, word) = tokens[at];
        if word.starts_with("tract") {
            parsed.tract.push(line);
        }
        let is_root = matches!(word, "crate" | "super" | "self");
        let is_path = words.get(at + 1) == Some(&"::") && (at == 0 || words[at - 1] != "::");
        if is_root && is_path {
            at += path(&tokens[at..], &start(file), &mut parsed.paths);
        } else {
            at += 1;
        }
    }
    parsed
}

/// The name of a module that is for tests alone, and how many words of `words` it is.
fn test_module<'t>(words: &[&'t str]) -> Option<(&'t str, usize)> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let rest = words.strip_prefix(&MARK[..])?;
    let at = rest.iter().take(6).position(|word| *word == "mod")?;
    let (name, next) = (rest.get(at + 1)?, rest.get(at + 2)?);
    let before = MARK.len() + at + 2;
    match *next {
        ";" => Some((name, before + 1)),
        "{" => {
            let mut depth = 0;
            let end = rest[at + 2..].iter().position(|word| {
                match *word {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ => {}
                }
                depth == 0
            })?;
            Some((name, before + end + 1))
        }
        _ => None,
    }
}

/// Where `self` is in a file.
fn start(file: &str) -> Vec<String> {
    module_of(file).into_iter().map(str::to_owned).collect()
}

/// Takes the path at the beginning of `tokens`, or all paths of a tree of them, and gives how many tokens it is.
fn path(tokens: &[Token<'_>], module: &[String], paths: &mut Vec<(usize, Vec<String>)>) -> usize {
    let mut at = 0;
    let mut names = vec![];
    while let Some((_, word)) = tokens.get(at) {
        match *word {
            "crate" => names.clear(),
            "self" => names = module.to_vec(),
            "super" if at == 0 => names = module[..module.len().saturating_sub(1)].to_vec(),
            "super" => drop(names.pop()),
            _ => break,
        }
        at += 1;
        if tokens.get(at).map(|token| token.1) != Some("::") {
            break;
        }
        at += 1;
    }
    at + branch(&tokens[at..], &names, paths)
}

/// As [`path`], of what follows `names`.
fn branch(tokens: &[Token<'_>], names: &[String], paths: &mut Vec<(usize, Vec<String>)>) -> usize {
    let mut names = names.to_vec();
    let mut at = 0;
    let line = tokens.first().map_or(0, |token| token.0);
    while let Some((_, word)) = tokens.get(at) {
        if *word == "{" {
            at += 1;
            while let Some((_, word)) = tokens.get(at) {
                match *word {
                    "}" => return at + 1,
                    "," => at += 1,
                    _ => at += branch(&tokens[at..], &names, paths).max(1),
                }
            }
            return at;
        }
        if !word.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            break;
        }
        if *word != "self" {
            names.push((*word).to_owned());
        }
        at += 1;
        if tokens.get(at).map(|token| token.1) == Some("::") {
            at += 1;
        } else {
            break;
        }
    }
    if tokens.get(at).map(|token| token.1) == Some("as") {
        at += 2;
    }
    paths.push((line, names));
    at
}

/// The words and signs of `text`.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = vec![];
    let (mut at, mut line) = (0, 1);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let len = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(len) = text_len(rest) {
            len
        } else if first.is_alphanumeric() || first == '_' {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let token = &rest[..len];
        let is_word = first.is_alphanumeric() || first == '_';
        let is_text = token.ends_with(['"', '\'', '#']) && len > 1;
        let is_comment = token.starts_with("//") || token.starts_with("/*");
        if is_word && !is_text || !(first.is_whitespace() || is_text || is_comment) {
            tokens.push((line, token));
        }
        line += token.matches('\n').count();
        at += len;
    }
    tokens
}

/// How long a text or a character is, if `rest` begins with one.
fn text_len(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        let after = rest.strip_prefix(prefix);
        let is_raw = prefix.ends_with('r');
        after.is_some_and(|after| {
            after.starts_with('"')
                || (is_raw && after.trim_start_matches('#').starts_with('"'))
                || (matches!(*prefix, "b" | "") && after.starts_with('\''))
        })
    })?;
    let body = &rest[prefix.len()..];
    if prefix.ends_with('r') {
        let n_marks = body.len() - body.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(n_marks));
        let from = n_marks + 1;
        return Some(prefix.len() + from + body[from..].find(&end)? + end.len());
    }
    let mark = body.chars().next()?;
    let mut chars = body.char_indices().skip(1);
    let mut n_chars = 0;
    while let Some((at, c)) = chars.next() {
        if c == mark && (mark == '"' || n_chars > 0) {
            return Some(prefix.len() + at + 1);
        }
        if c == '\\' {
            chars.next();
        } else if mark == '\'' && n_chars > 0 && !body.starts_with("'\\") {
            // A lifetime.
            return None;
        }
        n_chars += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sources: &[(&str, &str)]) -> Vec<String> {
        let sources = sources
            .iter()
            .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
        violations(&sources.collect::<Vec<_>>())
    }

    #[test]
    fn arrows_that_go_down_are_fine() {
        let found = found(&[
            (
                "lib.rs",
                "mod error; mod kernels; pub use crate::error::Error;",
            ),
            ("error.rs", "pub struct Error;"),
            (
                "kernels/mod.rs",
                "pub(crate) mod exp;\n#[cfg(test)]\nmod tests;",
            ),
            (
                "kernels/exp.rs",
                "use crate::error::Error;\n#[cfg(test)] mod tests { use crate::model::Model; use tract; }",
            ),
            ("kernels/tests.rs", "use crate::model::Model;"),
            (
                "model/mod.rs",
                "// crate::nowhere\nconst A: &str = \"crate::nowhere\"; const B: char = '\"'; struct C<'a>(&'a u8);",
            ),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn arrows_that_go_up_are_found() {
        let found = found(&[
            ("error.rs", ""),
            (
                "ops/math/exp.rs",
                "\nuse crate::{\n    error,\n    model::{self, Model},\n};",
            ),
            ("model/mod.rs", ""),
            (
                "kernels/exp.rs",
                "fn f() {\n    crate::ops::math::exp::g();\n    super::super::model::h();\n}\n\n// tract\nuse tract_onnx::pb;",
            ),
            ("elsewhere.rs", ""),
            ("guard/mod.rs", "use crate::Limits;"),
        ]);
        assert_eq!(
            found,
            [
                "elsewhere.rs:1: elsewhere is not in the table",
                "guard/mod.rs:1: guard may not import lib: Limits",
                "kernels/exp.rs:2: kernels may not import ops",
                "kernels/exp.rs:3: kernels may not import model",
                "kernels/exp.rs:7: kernels may not name tract",
                "ops/math/exp.rs:4: ops may not import model",
            ]
        );
    }

    #[test]
    fn circles_are_found() {
        let found = found(&[
            ("ops/math/a.rs", "use crate::ops::shape::b::B;"),
            ("ops/shape/b.rs", "use crate::ops::c::C;"),
            ("ops/c.rs", "use crate::ops::math::a::A;"),
            ("ops/shape/d.rs", "use crate::ops::math::e::E;"),
            ("ops/math/e.rs", ""),
            ("ops/math/f.rs", "use crate::ops::math::g::G;"),
            ("ops/math/g.rs", "use super::f::F;"),
        ]);
        assert_eq!(
            found,
            [
                "ops/math:1: a circle of folders: ops/math, ops/shape",
                "ops/c.rs:1: a circle of files: ops/c.rs, ops/math/a.rs, ops/shape/b.rs",
            ]
        );
    }
}
