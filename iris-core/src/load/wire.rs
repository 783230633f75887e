//! What protobuf's decoder makes of a file in memory, counted before it does.
//!
//! A message with nothing in it takes two bytes in a file and more than a thousand in memory. The count goes through the file
//! once, as the decoder does and mostly with its own functions, and takes no memory.

use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use tract_onnx::pb;
use tract_onnx::pb::tensor_shape_proto::Dimension;

use crate::error::{Error, ErrorKind, Result};
use crate::guard::budget;
use crate::guard::budget::Limits;

/// How many times its own size a file may take in memory before that counts: short words take nine times theirs in a list,
/// single letters 28 times, but no export is made of them alone.
const TIMES: usize = 16;

/// How deep messages lie within each other: the decoder, which begins to count at attributes, refuses what lies deeper.
const MAX_DEPTH: usize = 103;

/// What an allocator takes for itself, and the least it gives.
const OVERHEAD: usize = 24;
const LEAST: usize = 32;

/// Checks that decoding `bytes` takes no more memory than the limits allow.
pub(crate) fn check(bytes: &[u8], limits: &Limits) -> Result<()> {
    let mut count = Count { bytes: 0 };
    let counted = count.message(Message::Model, 0, bytes);
    let beyond = count
        .bytes
        .saturating_sub(bytes.len().saturating_mul(TIMES));
    if beyond > limits.load_bytes {
        let what = format!(
            "read, the {} bytes of the file are {}: beyond {TIMES} times as many, more",
            bytes.len(),
            count.bytes
        );
        return Err(budget::exceeded("load_bytes", limits.load_bytes, what));
    }
    // What comes after a fault is not counted, and so must not be decoded.
    counted.map_err(|error| {
        let message = format!("not an ONNX model: {error}");
        Error::new(ErrorKind::Parse, message).with_source(error)
    })
}

/// The messages of a model that hold lists, or others that do.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    SparseTensor,
    ValueInfo,
    Type,
    TensorType,
    /// A sequence or a map, which [`types`](crate::load::types) reads.
    Container,
    Shape,
    Dimension,
    Entry,
    OperatorSet,
    Function,
    TrainingInfo,
    Annotation,
}

/// What a field of a message holds, as far as that takes memory beside the message.
enum Field {
    /// Text, bytes, and what nobody reads.
    Bytes,
    Message(Message),
    Messages(Message),
    Strings,
    /// Numbers of as many bytes each, in memory and in the file.
    Floats(usize),
    /// Numbers of as many bytes each in memory.
    Integers(usize),
}

impl Message {
    /// The field that has `tag` in `onnx.proto`.
    fn field(self, tag: u32) -> Field {
        match (self, tag) {
            (Self::Model, 7) | (Self::TrainingInfo, 1 | 2) | (Self::Attribute, 6) => {
                Field::Message(Self::Graph)
            }
            (Self::Model, 8) | (Self::Function, 9) => Field::Messages(Self::OperatorSet),
            (Self::Model, 14)
            | (Self::TrainingInfo, 3 | 4)
            | (Self::Annotation, 2)
            | (Self::Tensor, 13) => Field::Messages(Self::Entry),
            (Self::Model, 20) => Field::Messages(Self::TrainingInfo),
            (Self::Model, 25) => Field::Messages(Self::Function),
            (Self::Graph, 1) | (Self::Function, 7) => Field::Messages(Self::Node),
            (Self::Graph, 5) | (Self::Attribute, 10) => Field::Messages(Self::Tensor),
            (Self::Graph, 11..=13) => Field::Messages(Self::ValueInfo),
            (Self::Graph, 14) => Field::Messages(Self::Annotation),
            (Self::Graph, 15) | (Self::Attribute, 23) => Field::Messages(Self::SparseTensor),
            (Self::Node, 5) => Field::Messages(Self::Attribute),
            (Self::Node, 1 | 2)
            | (Self::Function, 4..=6)
            | (Self::Attribute, 9)
            | (Self::Tensor, 6) => Field::Strings,
            (Self::Attribute, 5) | (Self::SparseTensor, 1 | 2) => Field::Message(Self::Tensor),
            (Self::Attribute, 11) => Field::Messages(Self::Graph),
            (Self::Attribute, 22) => Field::Message(Self::SparseTensor),
            (Self::Attribute, 7) | (Self::Tensor, 4) => Field::Floats(size_of::<f32>()),
            (Self::Tensor, 10) => Field::Floats(size_of::<f64>()),
            (Self::Attribute, 8) | (Self::Tensor, 1 | 7 | 11) | (Self::SparseTensor, 3) => {
                Field::Integers(size_of::<i64>())
            }
            (Self::Tensor, 5) => Field::Integers(size_of::<i32>()),
            (Self::ValueInfo, 2) => Field::Message(Self::Type),
            (Self::Type, 1) => Field::Message(Self::TensorType),
            (Self::Type, 4 | 5) => Field::Messages(Self::Container),
            (Self::Attribute, 15) | (Self::Container, 1 | 2) => Field::Messages(Self::Type),
            (Self::TensorType, 2) => Field::Message(Self::Shape),
            (Self::Shape, 1) => Field::Messages(Self::Dimension),
            _ => Field::Bytes,
        }
    }

    fn size(self) -> usize {
        match self {
            Self::Model => size_of::<pb::ModelProto>(),
            Self::Graph => size_of::<pb::GraphProto>(),
            Self::Node => size_of::<pb::NodeProto>(),
            Self::Attribute => size_of::<pb::AttributeProto>(),
            Self::Tensor => size_of::<pb::TensorProto>(),
            Self::SparseTensor => size_of::<pb::SparseTensorProto>(),
            Self::ValueInfo => size_of::<pb::ValueInfoProto>(),
            Self::Type | Self::TensorType | Self::Container => size_of::<pb::TypeProto>(),
            Self::Shape => size_of::<pb::TensorShapeProto>(),
            Self::Dimension => size_of::<Dimension>(),
            Self::Entry => size_of::<pb::StringStringEntryProto>(),
            Self::OperatorSet => size_of::<pb::OperatorSetIdProto>(),
            Self::Function => size_of::<pb::FunctionProto>(),
            Self::TrainingInfo => size_of::<pb::TrainingInfoProto>(),
            Self::Annotation => size_of::<pb::TensorAnnotation>(),
        }
    }
}

type Decoded<T> = std::result::Result<T, DecodeError>;

struct Count {
    bytes: usize,
}

/// How long each list of one message is so far, by its tag.
type Lengths = [u32; 32];

impl Count {
    /// Counts what a message holds that lies in `depth` others.
    fn message(&mut self, of: Message, depth: usize, mut file: &[u8]) -> Decoded<()> {
        let mut lengths = Lengths::default();
        // What lies deeper the decoder refuses before it reads it.
        while depth <= MAX_DEPTH && !file.is_empty() {
            self.field(of, depth, &mut lengths, &mut file)?;
        }
        Ok(())
    }

    /// Counts the next field, and those of the same list that follow it.
    fn field(
        &mut self,
        of: Message,
        depth: usize,
        lengths: &mut Lengths,
        file: &mut &[u8],
    ) -> Decoded<()> {
        let start = *file;
        let (tag, wire_type) = decode_key(file)?;
        let key = match start.len() - file.len() {
            1 => start.first().copied(),
            _ => None,
        };
        let field = of.field(tag);
        if wire_type != WireType::LengthDelimited {
            skip_field(wire_type, tag, file, DecodeContext::default())?;
            if let Field::Floats(size) | Field::Integers(size) = field {
                let more = key.map_or(0, |key| numbers(key, wire_type, file));
                self.list(lengths, tag, size, 1 + more);
            }
            return Ok(());
        }
        let content = delimited(file)?;
        match field {
            Field::Bytes => self.content(content),
            Field::Message(message) => self.message(message, depth + 1, content)?,
            Field::Messages(message) => {
                self.list(lengths, tag, message.size(), 1);
                self.message(message, depth + 1, content)?;
            }
            Field::Strings => {
                self.content(content);
                let more = key.map_or(0, |key| self.strings(key, file));
                self.list(lengths, tag, size_of::<String>(), 1 + more);
            }
            Field::Floats(size) => self.list(lengths, tag, size, content.len() / size),
            Field::Integers(size) => {
                // The last byte of each is the one below 128.
                let ends = content.iter().filter(|&&byte| byte < 0x80);
                self.list(lengths, tag, size, ends.count());
            }
        }
        Ok(())
    }

    /// Goes past strings whose fields begin with `key`, and counts what is in them. Gives how many they are.
    fn strings(&mut self, key: u8, file: &mut &[u8]) -> usize {
        let mut n = 0;
        while let [first, len @ ..0x80, rest @ ..] = *file
            && *first == key
            && let Some((content, rest)) = rest.split_at_checked(usize::from(*len))
        {
            self.content(content);
            *file = rest;
            n += 1;
        }
        n
    }

    /// Counts `n` more elements of `size` bytes in a list.
    fn list(&mut self, lengths: &mut Lengths, tag: u32, size: usize, n: usize) {
        let Some(len) = lengths.get_mut(tag as usize) else {
            return;
        };
        let before = room(*len, size);
        *len = len.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        self.add((room(*len, size) - before).saturating_mul(size));
        if before == 0 {
            self.add(OVERHEAD);
        }
    }

    /// Counts bytes or text.
    fn content(&mut self, content: &[u8]) {
        if !content.is_empty() {
            self.add((content.len() + OVERHEAD).max(LEAST));
        }
    }

    fn add(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// For how many elements a list has room that has `len`: it doubles whenever it is full, from four if they are not large.
fn room(len: u32, size: usize) -> usize {
    let least = if size > 1024 { 1 } else { 4 };
    match len as usize {
        0 => 0,
        len => len.next_power_of_two().max(least),
    }
}

/// Goes past numbers whose fields begin with `key`. Gives how many they are.
fn numbers(key: u8, wire_type: WireType, file: &mut &[u8]) -> usize {
    let mut n = 0;
    while let [first, rest @ ..] = *file
        && *first == key
    {
        *file = match (wire_type, rest) {
            (
                WireType::Varint,
                [..0x80, rest @ ..] | [_, ..0x80, rest @ ..] | [_, _, ..0x80, rest @ ..],
            )
            | (WireType::ThirtyTwoBit, [_, _, _, _, rest @ ..])
            | (WireType::SixtyFourBit, [_, _, _, _, _, _, _, _, rest @ ..]) => rest,
            // Longer ones are for the decoder's own function.
            _ => break,
        };
        n += 1;
    }
    n
}

/// Takes what a field holds whose length is said before it.
fn delimited<'a>(file: &mut &'a [u8]) -> Decoded<&'a [u8]> {
    let whole = *file;
    let (wire_type, tag) = (WireType::LengthDelimited, prost::encoding::MIN_TAG);
    skip_field(wire_type, tag, file, DecodeContext::default())?;
    let mut taken = &whole[..whole.len() - file.len()];
    decode_varint(&mut taken)?;
    Ok(taken)
}
