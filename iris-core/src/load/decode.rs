//! Reads the protobuf messages of a file.
//!
//! Nearly all of a tree ensemble's file are the lists of its attributes, whose elements protobuf decoders take one by one,
//! each as a field of its own. Here they are read in a loop, the modes of nodes as a byte each; all other fields are for the
//! decoder.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost::{DecodeError, Message};
use tract_onnx::pb;

use crate::onnx::node_modes;

type Decoded<T> = std::result::Result<T, DecodeError>;

/// The fields of `onnx.proto` that are read here.
const MODEL_GRAPH: u32 = 7;
const GRAPH_NODE: u32 = 1;
const NODE_ATTRIBUTE: u32 = 5;
const FLOATS: u32 = 7;
const INTS: u32 = 8;
const STRINGS: u32 = 9;

const FLOAT: u8 = key(FLOATS, WireType::ThirtyTwoBit);
const INT: u8 = key(INTS, WireType::Varint);
const STRING: u8 = key(STRINGS, WireType::LengthDelimited);

/// The model in the bytes of a file.
pub(crate) fn model(file: &[u8]) -> Decoded<pb::ModelProto> {
    let mut model = pb::ModelProto::default();
    merge(&mut model, file, MODEL_GRAPH, |model, content| {
        graph(model.graph.get_or_insert_default(), content)
    })?;
    Ok(model)
}

fn graph(graph: &mut pb::GraphProto, content: &[u8]) -> Decoded<()> {
    merge(graph, content, GRAPH_NODE, |graph, content| {
        let mut node = pb::NodeProto::default();
        merge(&mut node, content, NODE_ATTRIBUTE, |node, content| {
            node.attribute.push(attribute(content)?);
            Ok(())
        })?;
        graph.node.push(node);
        Ok(())
    })
}

/// Reads the fields of `message`: those that have `tag` and a length with `read`.
fn merge<M: Message>(
    message: &mut M,
    content: &[u8],
    tag: u32,
    mut read: impl FnMut(&mut M, &[u8]) -> Decoded<()>,
) -> Decoded<()> {
    // Behind the last field that was read here.
    let mut unread = content;
    let mut rest = content;
    while !rest.is_empty() {
        let others = &unread[..unread.len() - rest.len()];
        let (found, wire_type) = decode_key(&mut rest)?;
        if (found, wire_type) == (tag, WireType::LengthDelimited) {
            message.merge(others)?;
            read(message, delimited(&mut rest)?)?;
            unread = rest;
        } else {
            skip_field(wire_type, found, &mut rest, DecodeContext::default())?;
        }
    }
    message.merge(unread)
}

fn attribute(content: &[u8]) -> Decoded<pb::AttributeProto> {
    let mut attribute = pb::AttributeProto::default();
    let mut codes = vec![];
    let mut unread = content;
    let mut rest = content;
    while !rest.is_empty() {
        if let [FLOAT | INT | STRING, ..] = rest {
            attribute.merge(&unread[..unread.len() - rest.len()])?;
            floats(&mut rest, &mut attribute.floats)?;
            ints(&mut rest, &mut attribute.ints)?;
            if attribute.name == node_modes::NODES_MODES {
                words(&mut rest, &mut codes)?;
            }
            strings(&mut rest, &mut attribute.strings)?;
            unread = rest;
        } else {
            let (tag, wire_type) = decode_key(&mut rest)?;
            skip_field(wire_type, tag, &mut rest, DecodeContext::default())?;
        }
    }
    attribute.merge(unread)?;
    if !codes.is_empty() && !node_modes::keep(&mut attribute, codes) {
        return pb::AttributeProto::decode(content);
    }
    Ok(attribute)
}

/// The byte before each element of a list. The decoder also takes longer spellings of it, which are left to it.
const fn key(tag: u32, wire_type: WireType) -> u8 {
    (tag << 3) as u8 | wire_type as u8
}

/// Reads elements as long as one follows the other.
fn floats(content: &mut &[u8], values: &mut Vec<f32>) -> Decoded<()> {
    while let [FLOAT, rest @ ..] = *content {
        let Some((&number, behind)) = rest.split_first_chunk() else {
            // The decoder's own words for it.
            let mut rest = rest;
            return skip_field(
                WireType::ThirtyTwoBit,
                FLOATS,
                &mut rest,
                DecodeContext::default(),
            );
        };
        values.push(f32::from_le_bytes(number));
        *content = behind;
    }
    Ok(())
}

fn ints(content: &mut &[u8], values: &mut Vec<i64>) -> Decoded<()> {
    while let [INT, rest @ ..] = *content {
        *content = rest;
        values.push(varint(content)?.cast_signed());
    }
    Ok(())
}

fn strings(content: &mut &[u8], values: &mut Vec<Vec<u8>>) -> Decoded<()> {
    while let [STRING, rest @ ..] = *content {
        *content = rest;
        values.push(delimited(content)?.to_vec());
    }
    Ok(())
}

/// Reads the modes of nodes, as far as they are known.
fn words(content: &mut &[u8], codes: &mut Vec<u8>) -> Decoded<()> {
    while let [STRING, rest @ ..] = *content {
        let mut rest = rest;
        let Some(code) = node_modes::code(delimited(&mut rest)?) else {
            break;
        };
        *content = rest;
        codes.push(code);
    }
    Ok(())
}

/// Takes what a field holds whose length is said before it.
fn delimited<'a>(file: &mut &'a [u8]) -> Decoded<&'a [u8]> {
    let whole = *file;
    let len = varint(file)?;
    match usize::try_from(len)
        .ok()
        .and_then(|len| file.split_at_checked(len))
    {
        Some((content, rest)) => {
            *file = rest;
            Ok(content)
        }
        None => {
            // The decoder's own words for it.
            *file = whole;
            skip_field(WireType::LengthDelimited, 1, file, DecodeContext::default())?;
            Ok(&[])
        }
    }
}

#[inline]
fn varint(file: &mut &[u8]) -> Decoded<u64> {
    if let [byte @ ..0x80, rest @ ..] = *file {
        *file = rest;
        return Ok(u64::from(*byte));
    }
    decode_varint(file)
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::attribute_proto::AttributeType;

    use super::*;

    const WORDS: [&[u8]; 7] = [
        b"BRANCH_LEQ",
        b"BRANCH_LT",
        b"BRANCH_GTE",
        b"BRANCH_GT",
        b"BRANCH_EQ",
        b"BRANCH_NEQ",
        b"LEAF",
    ];

    /// The model with the modes of its nodes in words.
    fn in_words(mut model: pb::ModelProto) -> pb::ModelProto {
        let nodes = model.graph.iter_mut().flat_map(|graph| &mut graph.node);
        for attribute in nodes.flat_map(|node| &mut node.attribute) {
            let Some(codes) = node_modes::kept(attribute) else {
                continue;
            };
            let word = |code: &u8| {
                WORDS
                    .into_iter()
                    .find(|w| node_modes::code(w) == Some(*code))
            };
            let words: Option<Vec<&[u8]>> = codes.iter().map(word).collect();
            if let Some(words) = words {
                attribute.strings = words.into_iter().map(<[u8]>::to_vec).collect();
                attribute.s.clear();
            }
        }
        model
    }

    /// What the decoder makes of the same bytes, down to what it says is wrong with them.
    fn check(file: &[u8]) {
        let expected = pb::ModelProto::decode(file);
        match (model(file), expected) {
            // NaN is not equal to itself.
            (Ok(got), Ok(expected)) => {
                assert_eq!(in_words(got).encode_to_vec(), expected.encode_to_vec());
            }
            (Err(_), Err(_)) => {}
            (got, expected) => panic!("{file:?}: {got:?} {expected:?}"),
        }
    }

    fn file() -> Vec<u8> {
        let attribute = pb::AttributeProto {
            name: "a".into(),
            floats: vec![0.5, -1.0, f32::MAX],
            ints: vec![0, 127, 128, -1, i64::MAX],
            strings: vec![b"LEAF".to_vec(), vec![], vec![b'x'; 200]],
            i: 3,
            s: b"text".to_vec(),
            g: Some(pb::GraphProto {
                name: "inner".into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let modes = pb::AttributeProto {
            name: node_modes::NODES_MODES.into(),
            r#type: AttributeType::Strings.into(),
            strings: WORDS.map(<[u8]>::to_vec).into(),
            ..Default::default()
        };
        let node = pb::NodeProto {
            op_type: "TreeEnsembleClassifier".into(),
            input: vec!["X".into()],
            attribute: vec![attribute.clone(), attribute, modes],
            domain: "ai.onnx.ml".into(),
            ..Default::default()
        };
        let model = pb::ModelProto {
            ir_version: 8,
            graph: Some(pb::GraphProto {
                node: vec![node.clone(), node],
                name: "g".into(),
                ..Default::default()
            }),
            producer_name: "test".into(),
            ..Default::default()
        };
        model.encode_to_vec()
    }

    #[test]
    fn reads_what_the_decoder_reads() {
        let file = file();
        check(&file);
        // A message that comes twice is merged.
        check(&[file.as_slice(), &file].concat());
        // One list in parts, packed and not, with a key in more bytes than it takes.
        for list in [
            &[0x40, 1, 0x42, 2, 5, 6, 0x40, 2, 0x18, 9, 0x40, 0x80, 1][..],
            &[
                0xbd, 0x00, 0, 0, 0x80, 0x3f, 0x3d, 0, 0, 0, 0x40, 0x3a, 4, 0, 0, 0, 0x41,
            ],
            &[0x3d, 0, 0, 0],
            &[0x40],
            &[0x4a, 5, 1],
            &[0x41, 1, 2, 3, 4, 5, 6, 7, 8],
        ] {
            let len = |content: &[u8]| u8::try_from(content.len()).expect("short");
            let node = [&[0x2a, len(list)], list].concat();
            let graph = [&[0x0a, len(&node)], node.as_slice()].concat();
            check(&[&[0x3a, len(&graph)], graph.as_slice()].concat());
        }
    }

    #[test]
    fn keeps_modes_as_bytes_where_nothing_is_lost() {
        let read = |fields: pb::AttributeProto| {
            let named = pb::AttributeProto {
                name: node_modes::NODES_MODES.into(),
                ..fields
            };
            attribute(&named.encode_to_vec()).expect("an attribute")
        };
        let list = |strings: &[&[u8]]| pb::AttributeProto {
            r#type: AttributeType::Strings.into(),
            strings: strings.iter().map(|string| string.to_vec()).collect(),
            ..Default::default()
        };
        let kept = read(list(&WORDS));
        assert_eq!(kept.s, [0, 1, 2, 3, 4, 5, node_modes::LEAF]);
        assert!(kept.strings.is_empty());
        // A word that is none, text beside the list, and another type.
        let unknown = list(&[b"LEAF", b"BRANCH", b"LEAF"]);
        assert_eq!(read(unknown.clone()).strings, unknown.strings);
        let mut beside = list(&[b"LEAF"]);
        beside.s = vec![0];
        assert_eq!(read(beside.clone()).strings, beside.strings);
        let mut other = list(&[b"LEAF"]);
        other.r#type = AttributeType::Ints.into();
        assert_eq!(read(other.clone()).strings, other.strings);
    }

    #[test]
    fn refuses_what_the_decoder_refuses() {
        let file = file();
        for end in 0..file.len() {
            check(&file[..end]);
        }
        for at in 0..file.len() {
            for by in [1, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] ^= by;
                check(&changed);
            }
        }
    }
}
