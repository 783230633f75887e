//! Checks that the source of a crate keeps to its layers: imports go downwards only, and never round in a circle.
//!
//! Each crate has a test `tests/layers.rs` that includes this file and gives a table of the layers, from top to bottom. An
//! entry is a folder of `src` or one of its files, without `.rs`, and the entries below it that it may import:
//!
//! ```ignore
//! layers::check(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[
//!     ("main", &["serve", "settings"]),
//!     ("serve", &["settings"]),
//!     ("settings", &[]),
//! ]);
//! ```
//!
//! A folder within a folder may have an entry of its own, such as `serve/http`; all else in `serve` belongs to the entry
//! `serve`. What counts as an import is every path that begins with `crate::`, `super::`, `self::` or the name of a child
//! module, in a `use` or elsewhere. Code under `#[cfg(test)]` may import what it wants.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

/// The layers from top to bottom: the name of each, and the names of those that it may import.
pub(crate) type Table<'a> = &'a [(&'a str, &'a [&'a str])];

/// Fails if the source in `folder` does not keep to the table, and says where.
pub(crate) fn check(folder: impl AsRef<Path>, table: Table<'_>) {
    let violations = violations(&sources(folder.as_ref()), table);
    assert!(
        violations.is_empty(),
        "the layers are not kept:\n{}",
        violations.join("\n")
    );
}

/// All files of Rust in a folder, each by its name there, with its text.
pub(crate) fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    read_files(folder, "", &mut files);
    files
}

/// Reads all files of Rust in a folder; their names are relative to the first folder.
fn read_files(folder: &Path, name: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let entry = entry.expect("the folder can be read");
        let child = format!("{name}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read_files(&entry.path(), &format!("{child}/"), files);
        } else if entry.path().extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(entry.path()).expect("the source is text");
            files.push((child, text));
        }
    }
}

/// Everything in which `files`, each a name such as `event/mod.rs` and a text, differ from the table.
pub(crate) fn violations(files: &[(String, String)], table: Table<'_>) -> Vec<String> {
    let mut violations = Vec::new();
    for (line, (layer, allowed)) in table.iter().enumerate() {
        for name in *allowed {
            if !table[line + 1..].iter().any(|(below, _)| below == name) {
                violations.push(format!(
                    "the table lets {layer} import {name}, which is not below it"
                ));
            }
        }
    }
    let modules = Modules::new(files);
    for (layer, _) in table {
        if !modules
            .names()
            .any(|name| layer_of(name, table) == Some(layer))
        {
            violations.push(format!(
                "the table has {layer}, which is neither a folder nor a file"
            ));
        }
    }
    for (name, module) in &modules.by_name {
        let Some(layer) = layer_of(name, table) else {
            violations.push(format!("{} is in no layer of the table", module.file));
            continue;
        };
        let allowed = table.iter().find(|(name, _)| *name == layer);
        let allowed = allowed.map_or(&[][..], |(_, allowed)| allowed);
        for (imported, line) in &module.imports {
            let of_imported = layer_of(imported, table);
            if of_imported.is_some_and(|other| other != layer && !allowed.contains(&other)) {
                violations.push(format!(
                    "{}:{line} imports {}, but {layer} may import only [{}]",
                    module.file,
                    modules.by_name[imported].file,
                    allowed.join(", ")
                ));
            }
        }
    }
    violations.extend(modules.circles_of_files());
    violations.extend(modules.circles_of_folders());
    violations
}

/// The entry of the table that a module belongs to: the longest one that its name begins with.
fn layer_of<'a>(module: &str, table: Table<'a>) -> Option<&'a str> {
    let layers = table.iter().map(|(layer, _)| *layer);
    layers
        .filter(|layer| is_within(module, layer))
        .max_by_key(|layer| layer.len())
}

/// Whether a module is `folder`, or lies in it.
fn is_within(module: &str, folder: &str) -> bool {
    let rest = module.strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The modules of a crate by their names, such as `event/values`; the crate's root is `main` or `lib`.
struct Modules {
    root: String,
    by_name: BTreeMap<String, Module>,
}

struct Module {
    file: String,
    /// The names of the modules that it imports, and the line of the first import of each.
    imports: BTreeMap<String, usize>,
}

type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

impl Modules {
    fn new(files: &[(String, String)]) -> Self {
        let name = |file: &str| {
            let name = file.strip_suffix(".rs").unwrap_or(file);
            name.strip_suffix("/mod").unwrap_or(name).to_string()
        };
        let is_root = |name: &&str| matches!(*name, "main" | "lib");
        let names: Vec<String> = files.iter().map(|(file, _)| name(file)).collect();
        let root = names.iter().map(String::as_str).find(is_root);
        let root = root.unwrap_or("lib").to_string();
        let mut sources = Vec::new();
        let mut tests = Vec::new();
        for ((file, text), name) in files.iter().zip(&names) {
            let (tokens, test_modules) = without_tests(&tokens(text));
            let of_child = |child: &String| child_name(name, &root, child);
            tests.extend(test_modules.iter().map(of_child));
            sources.push((name, file, tokens));
        }
        sources.retain(|(name, ..)| !tests.iter().any(|test| is_within(name, test)));
        let known: BTreeSet<&str> = sources.iter().map(|(name, ..)| name.as_str()).collect();
        let by_name = sources.iter().map(|(name, file, tokens)| {
            let mut imports = BTreeMap::new();
            for (path, line) in paths(tokens, |word| {
                known.contains(child_name(name, &root, word).as_str())
            }) {
                let imported = resolve(name, &root, &path, &known);
                if imported != **name && known.contains(imported.as_str()) {
                    imports.entry(imported).or_insert(line);
                }
            }
            let file = (*file).clone();
            ((*name).clone(), Module { file, imports })
        });
        Self {
            by_name: by_name.collect(),
            root,
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Whether modules lie in this one.
    fn is_folder(&self, module: &str) -> bool {
        self.names()
            .any(|name| name != module && is_within(name, module))
    }

    /// The folder that the file of a module counts as part of: `x.rs` beside a folder `x` is part of that, as `x/mod.rs` is.
    fn folder<'a>(&self, module: &'a str) -> &'a str {
        if self.is_folder(module) {
            return module;
        }
        module.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Circles of imports that lead out of a folder and back; within one folder they may be.
    fn circles_of_files(&self) -> Vec<String> {
        let mut graph = Graph::new();
        for (name, module) in &self.by_name {
            let imports = module.imports.keys().map(String::as_str);
            graph.insert(name, imports.collect());
        }
        circles(&graph, |from, to| self.folder(from) != self.folder(to))
    }

    /// Circles between the folders, or a folder and the files, that lie side by side in one folder. What lies in a folder
    /// counts as the folder.
    fn circles_of_folders(&self) -> Vec<String> {
        let mut found = Vec::new();
        let folders: BTreeSet<&str> = self.names().filter(|name| self.is_folder(name)).collect();
        for folder in folders.into_iter().chain([""]) {
            // The part of a name up to the folder's own child, if it is in the folder and not the folder's own file.
            let child = |name: &'_ str| {
                let rest = match folder {
                    "" if name == self.root => None,
                    "" => Some(name),
                    _ => name.strip_prefix(folder)?.strip_prefix('/'),
                }?;
                let end = rest.find('/').unwrap_or(rest.len());
                Some(name.len() - rest.len() + end)
            };
            let mut graph = Graph::new();
            for (name, module) in &self.by_name {
                let Some(end) = child(name) else { continue };
                let imports = module.imports.keys();
                let imports = imports.filter_map(|other| Some(&other[..child(other)?]));
                let imports = imports.filter(|other| *other != &name[..end]);
                graph.entry(&name[..end]).or_default().extend(imports);
            }
            found.extend(circles(&graph, |from, to| {
                self.is_folder(from) || self.is_folder(to)
            }));
        }
        found
    }
}

/// One message for each circle that goes over an import which `counts`.
fn circles(graph: &Graph<'_>, counts: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut told: Vec<BTreeSet<&str>> = Vec::new();
    let mut messages = Vec::new();
    for (from, imports) in graph {
        for to in imports.iter().filter(|to| counts(from, to)) {
            let Some(way) = way(graph, to, from) else {
                continue;
            };
            let members: BTreeSet<&str> = way.iter().copied().collect();
            if !told.contains(&members) {
                messages.push(format!(
                    "a circle: {from} imports {}",
                    way.join(", which imports ")
                ));
                told.push(members);
            }
        }
    }
    messages
}

/// The shortest chain of imports from one module to another, both ends included.
fn way<'a>(graph: &Graph<'a>, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
    let mut before = BTreeMap::from([(from, from)]);
    let mut waiting = VecDeque::from([from]);
    while let Some(name) = waiting.pop_front() {
        if name == to {
            let mut way = vec![name];
            while let Some(&last) = way.last().filter(|last| **last != from) {
                way.push(before[last]);
            }
            way.reverse();
            return Some(way);
        }
        for &next in graph.get(name).into_iter().flatten() {
            if !before.contains_key(next) {
                before.insert(next, name);
                waiting.push_back(next);
            }
        }
    }
    None
}

/// The name of a module's child.
fn child_name(module: &str, root: &str, child: &str) -> String {
    if module == root {
        child.into()
    } else {
        format!("{module}/{child}")
    }
}

/// The module that a path, such as `crate::event::Event`, leads into, seen from `module`.
fn resolve(module: &str, root: &str, path: &[String], known: &BTreeSet<&str>) -> String {
    let mut names: Vec<&str> = if module == root {
        Vec::new()
    } else {
        module.split('/').collect()
    };
    for word in path {
        match word.as_str() {
            "crate" => names.clear(),
            "super" => drop(names.pop()),
            "self" => {}
            word => {
                names.push(word);
                if !known.contains(names.join("/").as_str()) {
                    names.pop();
                    break;
                }
            }
        }
    }
    if names.is_empty() {
        root.into()
    } else {
        names.join("/")
    }
}

/// A word, `::` or another single character of the source, and its line. Comments, texts and characters are left out.
pub(crate) type Token = (String, usize);

pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(c) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let len = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment_len(rest)
        } else if let Some(len) = text_len(rest) {
            len
        } else if is_word(c) {
            let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push((rest[..len].into(), line));
            len
        } else {
            let len = if rest.starts_with("::") {
                2
            } else {
                c.len_utf8()
            };
            if !c.is_whitespace() {
                tokens.push((rest[..len].into(), line));
            }
            len
        };
        line += rest[..len].matches('\n').count();
        rest = &rest[len..];
    }
    tokens
}

/// The length of the comment, which may have others within it, that `rest` begins with.
fn comment_len(rest: &str) -> usize {
    let mut depth = 0;
    for (index, _) in rest.char_indices() {
        if rest[index..].starts_with("/*") {
            depth += 1;
        } else if rest[..index].ends_with("*/") {
            depth -= 1;
            if depth == 0 {
                return index;
            }
        }
    }
    rest.len()
}

/// The length of the text or character that `rest` begins with, if it does.
fn text_len(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c"];
    let prefix = prefix.iter().find(|prefix| {
        let after = rest
            .strip_prefix(**prefix)
            .map(|after| after.trim_start_matches('#'));
        after.is_some_and(|after| {
            after.starts_with('"') || **prefix == "b" && after.starts_with('\'')
        })
    });
    let is_raw = prefix.is_some_and(|prefix| prefix.ends_with('r'));
    let start = prefix.map_or(0, |prefix| prefix.len());
    let after = &rest[start..];
    if is_raw {
        let hashes = after.len() - after.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let content = start + hashes + 1;
        return Some(
            rest[content..]
                .find(&end)
                .map_or(rest.len(), |len| content + len + end.len()),
        );
    }
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut chars = after.char_indices().skip(1).peekable();
    if quote == '\'' {
        // A lifetime has no quote after its first character.
        let mut ahead = after.chars().skip(1);
        let (first, second) = (ahead.next(), ahead.next());
        if first != Some('\\') && second != Some('\'') {
            return None;
        }
    }
    while let Some((index, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return Some(start + index + 1);
        }
    }
    Some(rest.len())
}

/// The tokens without the items under `#[cfg(test)]`, and the names of the test modules that have files of their own.
pub(crate) fn without_tests(tokens: &[Token]) -> (Vec<Token>, Vec<String>) {
    let mut kept = Vec::new();
    let mut modules = Vec::new();
    let words =
        |from: usize, n: usize| tokens[from..].iter().take(n).map(|(word, _)| word.as_str());
    let mut index = 0;
    while index < tokens.len() {
        if !words(index, 7).eq(["#", "[", "cfg", "(", "test", ")", "]"]) {
            kept.push(tokens[index].clone());
            index += 1;
            continue;
        }
        index += 7;
        let start = index;
        // The item ends with its braces, or with a semicolon where it has none.
        let mut depth = 0_i32;
        while index < tokens.len() {
            let word = tokens[index].0.as_str();
            depth += i32::from(matches!(word, "{" | "(" | "["));
            depth -= i32::from(matches!(word, "}" | ")" | "]"));
            index += 1;
            if depth == 0 && matches!(word, ";" | "}") {
                break;
            }
        }
        let item: Vec<&str> = words(start, index - start).collect();
        if let [.., "mod", name, ";"] = item[..] {
            modules.push(name.to_string());
        }
    }
    (kept, modules)
}

/// The paths that lead to modules of the crate, and their lines. `is_child` tells the names of the module's own children.
fn paths(tokens: &[Token], is_child: impl Fn(&str) -> bool) -> Vec<(Vec<String>, usize)> {
    let mut paths = Vec::new();
    let word = |index: usize| tokens.get(index).map_or("", |(word, _)| word.as_str());
    for index in 0..tokens.len() {
        let is_start = match word(index) {
            "crate" | "super" | "self" => true,
            name => is_child(name),
        };
        let before = index.checked_sub(1).map_or("", word);
        // `pub(in crate::…)` says who may import, and imports nothing.
        let is_visibility = before == "in" && word(index.wrapping_sub(2)) == "(";
        if is_start && word(index + 1) == "::" && before != "::" && before != "." && !is_visibility
        {
            read_path(tokens, index, &mut Vec::new(), &mut paths);
        }
    }
    paths
}

/// Reads one path, or each path of a group, from `index`; gives the index after it.
fn read_path(
    tokens: &[Token],
    mut index: usize,
    path: &mut Vec<String>,
    paths: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let word = |index: usize| tokens.get(index).map_or("", |(word, _)| word.as_str());
    let len = path.len();
    let line = tokens.get(index).map_or(0, |(_, line)| *line);
    loop {
        if word(index) == "{" {
            index += 1;
            while !matches!(word(index), "}" | "") {
                index = match word(index) {
                    "," => index + 1,
                    _ => read_path(tokens, index, path, paths),
                };
            }
            index += 1;
            break;
        }
        let is_name = word(index).starts_with(|c: char| c.is_alphabetic() || c == '_');
        // In a group, `self` is what the group is of.
        if is_name && (path.is_empty() || word(index) != "self") {
            path.push(word(index).into());
        }
        index += 1;
        if word(index) != "::" {
            paths.push((path.clone(), line));
            break;
        }
        index += 1;
    }
    path.truncate(len);
    while !path.is_empty() && !matches!(word(index), "," | "}" | "") {
        index += 1;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table<'_> = &[
        ("main", &["serve", "event"]),
        ("serve", &["event", "error"]),
        ("event", &["error"]),
        ("error", &[]),
    ];

    /// The violations of a small crate in which one file has another text.
    fn violations_with(name: &str, text: &str) -> Vec<String> {
        let mut files = BTreeMap::from([
            ("main.rs", "mod serve; use crate::serve::http;"),
            ("serve/mod.rs", "mod http; mod shutdown;"),
            (
                "serve/http/mod.rs",
                "use crate::{error::Error, event::Event};",
            ),
            ("serve/http/body.rs", "use crate::serve::shutdown;"),
            ("serve/shutdown.rs", "fn end() { crate::error::chain() }"),
            ("event/mod.rs", "mod values; use values::Values;"),
            ("event/values.rs", "use super::Event; use crate::error;"),
            ("error.rs", "#[cfg(test)] mod tests { use crate::serve; }"),
        ]);
        files.insert(name, text);
        let files = files
            .iter()
            .map(|(name, text)| ((*name).into(), (*text).into()));
        violations(&files.collect::<Vec<_>>(), TABLE)
    }

    #[test]
    fn what_keeps_to_the_table_is_no_violation() {
        let cases = [
            ("error.rs", ""),
            (
                "error.rs",
                "// use crate::serve;\n/* use crate::serve; /* */ use crate::serve; */",
            ),
            (
                "error.rs",
                "const A: &str = \"use crate::serve;\"; const B: &str = r#\"\"crate::serve\"#;",
            ),
            (
                "error.rs",
                "fn f<'a>(x: &'a str) -> char { '\"' } // crate::serve",
            ),
            ("error.rs", "#[cfg(test)]\nmod tests;"),
            (
                "error.rs",
                "#[cfg(test)]\nuse crate::serve;\npub(in crate::serve) fn f() {}",
            ),
            ("error/tests.rs", "use crate::serve;"),
        ];
        for (name, text) in cases {
            let found = if name == "error/tests.rs" {
                // The file of a test module is no part of the layers.
                let files = [
                    ("error.rs", "#[cfg(test)] mod tests;"),
                    (name, text),
                    ("serve/mod.rs", ""),
                ];
                let files = files.map(|(name, text)| (name.into(), text.into()));
                violations(&files, &[("serve", &[]), ("error", &[])])
            } else {
                violations_with(name, text)
            };
            assert_eq!(found, Vec::<String>::new(), "{name}: {text}");
        }
    }

    #[test]
    fn upward_imports_are_found_however_they_are_written() {
        let cases = [
            "use crate::event::Event;",
            "\n\nuse crate::{serve::{http, shutdown}};",
            "use crate::event::{self, Event as Other};",
            "use super::event::Event;",
            "fn f() { let n = 1 + crate::event::LENGTH; }",
            "fn f(x: &crate::event::Event<'_>) {}",
            "macro_rules! m { () => { $crate::event::f() } }",
            "const Q: char = '\"'; use crate::event; const R: char = '\"';",
            "#[cfg(test)]\nmod tests { fn f() { {} } }\nuse crate::event::*;",
            "use crate::Root;",
        ];
        for text in cases {
            let found = violations_with("error.rs", text);
            let first = found.first().expect(text);
            let line = text.lines().position(|line| {
                line.contains("event") || line.contains("serve") || line.contains("Root")
            });
            let start = format!("error.rs:{} imports ", line.expect("it imports") + 1);
            assert!(first.starts_with(&start), "{text}: {found:?}");
            assert!(
                first.ends_with(", but error may import only []"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn files_and_layers_that_the_table_does_not_fit_are_found() {
        assert_eq!(
            violations_with("other/mod.rs", ""),
            ["other/mod.rs is in no layer of the table"]
        );
        let files = [("main.rs".to_string(), String::new())];
        assert_eq!(
            violations(&files, &[("main", &["main"]), ("gone", &[])]),
            [
                "the table lets main import main, which is not below it",
                "the table has gone, which is neither a folder nor a file",
            ]
        );
    }

    #[test]
    fn circles_are_found_between_folders_and_not_within_one() {
        // The files of `event` import one another, which they may.
        assert_eq!(violations_with("error.rs", ""), Vec::<String>::new());
        let cases = [
            (
                "serve/mod.rs",
                "fn f() { http::run() } pub use crate::serve::http::body::Body;",
                None,
            ),
            (
                "serve/shutdown.rs",
                "use crate::serve::http::body;",
                Some(
                    "a circle: serve/http/body imports serve/shutdown, which imports serve/http/body",
                ),
            ),
            (
                "serve/shutdown.rs",
                "use crate::serve::http;",
                Some("a circle: serve/http imports serve/shutdown, which imports serve/http"),
            ),
        ];
        for (name, text, circle) in cases {
            let found = violations_with(name, text);
            assert_eq!(found.first().map(String::as_str), circle, "{found:?}");
        }
    }
}
