//! Regular expressions as onnxruntime understands them: RE2's syntax.
//!
//! It differs from that of the `regex-automata` crate in little: `\w`, `\d`, `\s`, `\b` and their negations know ASCII
//! only, there are no operations between sets inside brackets, and `\Q…\E` quotes. A pattern that starts with `(?u)`,
//! which RE2 refuses and Python's `re` means by default, has Unicode's classes instead.
//!
//! Not supported: octal escapes, `\C`, scripts (`\p{Greek}`) and ranges that end at `-` inside brackets.

use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use regex_automata::hybrid::dfa::DFA;
use regex_automata::hybrid::{dfa, regex};
use regex_automata::nfa::thompson;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{NFA, WhichCaptures, pikevm};
use regex_automata::util::pool::{Pool, PoolGuard};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

/// How large a pattern may become when it is compiled, in bytes.
const SIZE_LIMIT: usize = 4 << 20;

type Result<T> = std::result::Result<T, String>;

/// What searches need of memory, from one to the next.
type Caches<C> = Pool<C, Create<C>>;
type Create<C> = Box<dyn Fn() -> C + Send + Sync + UnwindSafe + RefUnwindSafe>;

/// Finds the leftmost match of a pattern and, of those that start there, the longest.
#[derive(Debug)]
pub(crate) struct LongestMatch {
    engines: Arc<Engines>,
    caches: Caches<Cache>,
}

#[derive(Debug)]
struct Engines {
    /// Knows where the leftmost match starts, and prefers the alternative that is written first.
    leftmost: regex::Regex,
    /// Sees every match that starts where it does.
    longest: DFA,
    /// The same two; slow, and used only where the others give up.
    fallback: [PikeVM; 2],
}

#[derive(Debug)]
struct Cache {
    leftmost: regex::Cache,
    longest: dfa::Cache,
    fallback: [Option<pikevm::Cache>; 2],
}

impl LongestMatch {
    pub(crate) fn new(pattern: &str) -> Result<Self> {
        let pattern = translate(pattern)?;
        let forward = nfa(&pattern, false)?;
        let leftmost = automaton(&forward, MatchKind::LeftmostFirst)?;
        let backward = automaton(&nfa(&pattern, true)?, MatchKind::All)?;
        let engines = Arc::new(Engines {
            leftmost: regex::Builder::new().build_from_dfas(leftmost, backward),
            longest: automaton(&forward, MatchKind::All)?,
            fallback: [
                simulation(&forward, MatchKind::LeftmostFirst)?,
                simulation(&forward, MatchKind::All)?,
            ],
        });
        let of = Arc::clone(&engines);
        let create = move || Cache {
            leftmost: of.leftmost.create_cache(),
            longest: of.longest.create_cache(),
            fallback: [None, None],
        };
        Ok(Self {
            engines,
            caches: Pool::new(Box::new(create)),
        })
    }

    /// What searching needs of memory.
    pub(crate) fn finder(&self) -> Finder<'_> {
        Finder {
            engines: &self.engines,
            cache: self.caches.get(),
        }
    }
}

/// Searches with a [`LongestMatch`].
pub(crate) struct Finder<'a> {
    engines: &'a Engines,
    cache: PoolGuard<'a, Cache, Create<Cache>>,
}

impl Finder<'_> {
    /// The first match in `text` that starts at `from` or after it; `from` must be the start of a character or the end.
    pub(crate) fn find(&mut self, text: &str, from: usize) -> Option<Range<usize>> {
        let Engines {
            leftmost,
            longest,
            fallback,
        } = self.engines;
        let cache = &mut *self.cache;
        let mut simulated = |which: usize, input: Input<'_>| {
            let fallback: &PikeVM = &fallback[which];
            let cache = cache.fallback[which].get_or_insert_with(|| fallback.create_cache());
            fallback.find(cache, input)
        };
        let input = Input::new(text).range(from..text.len());
        let first = match leftmost.try_search(&mut cache.leftmost, &input) {
            Ok(first) => first,
            Err(_) => simulated(0, input),
        }?;
        let input = Input::new(text)
            .range(first.start()..text.len())
            .anchored(Anchored::Yes);
        let end = match longest.try_search_fwd(&mut cache.longest, &input) {
            Ok(longest) => longest.map(|m| m.offset()),
            Err(_) => simulated(1, input).map(|m| m.end()),
        };
        Some(first.start()..end.unwrap_or(first.end()))
    }
}

/// Tells whether a pattern matches the whole of a text.
#[derive(Debug)]
pub(crate) struct FullMatch {
    automaton: Arc<DFA>,
    caches: Caches<(dfa::Cache, Option<pikevm::Cache>)>,
    /// Slow, and used only where the automaton gives up.
    fallback: PikeVM,
}

impl FullMatch {
    pub(crate) fn new(pattern: &str) -> Result<Self> {
        let translated = translate(pattern)?;
        // On its own first: its parentheses may pair only when ours are around it.
        syntax::parse(&translated).map_err(|e| e.to_string())?;
        let nfa = nfa(&format!(r"\A(?:{translated})\z"), false)?;
        let automaton = Arc::new(automaton(&nfa, MatchKind::LeftmostFirst)?);
        let of = Arc::clone(&automaton);
        Ok(Self {
            automaton,
            caches: Pool::new(Box::new(move || (of.create_cache(), None))),
            fallback: simulation(&nfa, MatchKind::LeftmostFirst)?,
        })
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let input = Input::new(text).anchored(Anchored::Yes).earliest(true);
        let (cache, fallback_cache) = &mut *self.caches.get();
        match self.automaton.try_search_fwd(cache, &input) {
            Ok(found) => found.is_some(),
            Err(_) => {
                let fallback = &self.fallback;
                let cache = fallback_cache.get_or_insert_with(|| fallback.create_cache());
                fallback.is_match(cache, input)
            }
        }
    }
}

/// The pattern for engines that go through texts, backward if they are to go there.
fn nfa(pattern: &str, is_backward: bool) -> Result<NFA> {
    let captures = if is_backward {
        WhichCaptures::None
    } else {
        WhichCaptures::Implicit
    };
    let config = thompson::Config::new()
        .nfa_size_limit(Some(SIZE_LIMIT))
        .which_captures(captures)
        .reverse(is_backward);
    let hir = syntax::parse(pattern).map_err(|e| e.to_string())?;
    thompson::Compiler::new()
        .configure(config)
        .build_from_hir(&hir)
        .map_err(|e| e.to_string())
}

/// The automaton, made as far as texts need it. It gives up where there are others than ASCII characters and it asks for
/// Unicode's bounds of words, and where it would be made anew all the time.
fn automaton(nfa: &NFA, match_kind: MatchKind) -> Result<DFA> {
    let config = dfa::Config::new()
        .match_kind(match_kind)
        .unicode_word_boundary(true)
        .skip_cache_capacity_check(true)
        .minimum_cache_clear_count(Some(3))
        .minimum_bytes_per_state(Some(10));
    DFA::builder()
        .configure(config)
        .build_from_nfa(nfa.clone())
        .map_err(|e| e.to_string())
}

fn simulation(nfa: &NFA, match_kind: MatchKind) -> Result<PikeVM> {
    PikeVM::builder()
        .configure(pikevm::Config::new().match_kind(match_kind))
        .build_from_nfa(nfa.clone())
        .map_err(|e| e.to_string())
}

/// Spells an RE2 pattern in the syntax of `regex-automata`.
fn translate(pattern: &str) -> Result<String> {
    if pattern.starts_with("(?u)") {
        return Ok(pattern.into());
    }
    let mut out = String::with_capacity(pattern.len() * 2);
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = after;
        match c {
            '\\' => {
                let Some(escaped) = after.chars().next() else {
                    return Err("it ends with a backslash".into());
                };
                rest = &after[escaped.len_utf8()..];
                match (escaped, in_class) {
                    ('Q', false) => {
                        let (quoted, behind) = rest.split_once(r"\E").unwrap_or((rest, ""));
                        quoted.chars().for_each(|c| push_literal(&mut out, c));
                        rest = behind;
                    }
                    ('w', true) => out.push_str("0-9A-Za-z_"),
                    ('d', true) => out.push_str("0-9"),
                    ('s', true) => out.push_str(r"\t\n\f\r "),
                    ('w', false) => out.push_str("[0-9A-Za-z_]"),
                    ('d', false) => out.push_str("[0-9]"),
                    ('s', false) => out.push_str(r"[\t\n\f\r ]"),
                    ('W', _) => out.push_str("[^0-9A-Za-z_]"),
                    ('D', _) => out.push_str("[^0-9]"),
                    ('S', _) => out.push_str(r"[^\t\n\f\r ]"),
                    ('b', false) => out.push_str(r"(?-u:\b)"),
                    ('B', false) => out.push_str(r"(?-u:\B)"),
                    ('<' | '>', _) => out.push(escaped),
                    _ => {
                        out.push(c);
                        out.push(escaped);
                    }
                }
            }
            '[' if in_class => {
                let named = after
                    .strip_prefix(':')
                    .and_then(|name| name.split_once(":]"));
                if let Some((name, behind)) = named {
                    out.push_str("[:");
                    out.push_str(name);
                    out.push_str(":]");
                    rest = behind;
                } else {
                    out.push_str(r"\[");
                }
            }
            '[' => {
                in_class = true;
                out.push('[');
                if let Some(behind) = rest.strip_prefix('^') {
                    out.push('^');
                    rest = behind;
                }
                if let Some(behind) = rest.strip_prefix(']') {
                    out.push_str(r"\]");
                    rest = behind;
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '-' if in_class && after.starts_with('-') => {
                return Err("two hyphens in a row inside brackets are not supported".into());
            }
            '&' | '~' if in_class => push_literal(&mut out, c),
            '{' if !in_class && !starts_with_bounds(after) => push_literal(&mut out, c),
            _ => out.push(c),
        }
    }
    Ok(out)
}

fn push_literal(out: &mut String, c: char) {
    if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
        out.push('\\');
    }
    out.push(c);
}

/// Whether `text` goes on as a repetition does after its `{`: `2}`, `2,}` or `2,3}`.
fn starts_with_bounds(text: &str) -> bool {
    let Some((bounds, _)) = text.split_once('}') else {
        return false;
    };
    let is_number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    match bounds.split_once(',') {
        Some((low, high)) => is_number(low) && (high.is_empty() || is_number(high)),
        None => is_number(bounds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pattern: &str, text: &str) -> Vec<String> {
        let pattern = LongestMatch::new(pattern).expect("pattern is valid");
        let mut finder = pattern.finder();
        let mut from = 0;
        let mut found = vec![];
        while let Some(range) = finder.find(text, from) {
            assert!(!range.is_empty(), "the test's patterns match no empty text");
            from = range.end;
            found.push(text[range].to_owned());
        }
        found
    }

    #[test]
    fn finds_leftmost_longest() {
        let cases: [(&str, &str, &[&str]); 20] = [
            ("a|ab", "abab a", &["ab", "ab", "a"]),
            ("a+?", "aaa a", &["aaa", "a"]),
            (r"\w+", "né 1_2", &["n", "1_2"]),
            (r"\W+", "né 1", &["é "]),
            (r"\b\w\w+\b", "né 1_2 a bb", &["1_2", "bb"]),
            (r"\B.", "ab cd", &["b", "d"]),
            (r"[^\w]+", "a é,b", &[" é,"]),
            (r"[\W_]+", "a_é,b", &["_é,"]),
            (r"(?u)\b\w\w+\b", "né 1_2 a bb", &["né", "1_2", "bb"]),
            (r"[[:alpha:]&&é]+", "a&&é,b", &["a&&é", "b"]),
            (r"\Q[.\E", "a[.é", &["[."]),
            (r"\Q[.", "a[.é", &["[."]),
            (r"(?i)AB", "abAB", &["ab", "AB"]),
            (r"\pL+", "aé1", &["aé"]),
            (r"[]a]+", "]a[", &["]a"]),
            (r"[[a]+", "]a[", &["a["]),
            (r"a{,2}", "a{,2}", &["a{,2}"]),
            (r"a{2}", "aaa", &["aa"]),
            (r"\s", "\u{b}\t", &["\t"]),
            (r"[\s\d]+\<", " 1<", &[" 1<"]),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(all(pattern, text), expected, "{pattern}");
        }
    }

    #[test]
    fn matches_whole_texts() {
        let cases = [
            ("a|ab", "ab", true),
            ("a|ab", "abb", false),
            (r"\w+", "é", false),
            (".", "\n", false),
            ("", "", true),
            ("", "a", false),
            ("^a$", "a", true),
            ("^a$", "a\n", false),
            ("(?m)^a$", "a\na", false),
        ];
        for (pattern, text, expected) in cases {
            let pattern = FullMatch::new(pattern).expect("pattern is valid");
            assert_eq!(pattern.matches(text), expected, "{pattern:?} {text:?}");
        }
    }

    #[test]
    fn refuses_bad_patterns() {
        for pattern in [
            "(",
            "a)(b",
            "[a",
            "*",
            r"\1",
            r"\C",
            r"a\",
            "[a--z]",
            r"\p{Greek}",
            "((a{1000}){1000}){1000}",
        ] {
            assert!(LongestMatch::new(pattern).is_err(), "{pattern}");
            assert!(FullMatch::new(pattern).is_err(), "{pattern}");
        }
    }
}
