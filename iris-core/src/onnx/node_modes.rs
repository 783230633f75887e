//! The words of `nodes_modes`, a byte each.
//!
//! A forest has one for each of its nodes, which are most of the strings that any export holds. Kept as words, each is an
//! allocation of its own, and a quarter of the time that a forest takes to load.

use tract_onnx::pb::AttributeProto;
use tract_onnx::pb::attribute_proto::AttributeType;

/// The attribute that holds them.
pub(crate) const NODES_MODES: &str = "nodes_modes";

/// The byte of a leaf.
pub(crate) const LEAF: u8 = u8::MAX;

/// The byte that `word` is kept as: that of version 5, and one for leaves, which have none there.
pub(crate) fn code(word: &[u8]) -> Option<u8> {
    Some(match word {
        b"BRANCH_LEQ" => 0,
        b"BRANCH_LT" => 1,
        b"BRANCH_GTE" => 2,
        b"BRANCH_GT" => 3,
        b"BRANCH_EQ" => 4,
        b"BRANCH_NEQ" => 5,
        b"LEAF" => LEAF,
        _ => return None,
    })
}

/// Puts the bytes into `attribute`, whose words they are, and says whether it had room: `s` of a list is no one's, so that
/// nothing that a well-formed file says is lost.
pub(crate) fn keep(attribute: &mut AttributeProto, codes: Vec<u8>) -> bool {
    let is_list = attribute.r#type == i32::from(AttributeType::Strings);
    let has_room = is_list && attribute.strings.is_empty() && attribute.s.is_empty();
    if has_room {
        attribute.s = codes;
    }
    has_room
}

/// The bytes that are kept in `attribute` instead of words.
pub(crate) fn kept(attribute: &AttributeProto) -> Option<&[u8]> {
    let is_kept = attribute.name == NODES_MODES && attribute.strings.is_empty();
    is_kept.then_some(attribute.s.as_slice())
}
