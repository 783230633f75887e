//! What a file takes in memory while it is read, and a call while it runs: no more than the limits allow.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::onnx::{INT64, graph, info_of, model, node};
use iris_core::ErrorKind::LimitExceeded;
use iris_core::{LoadOptions, Model, Value};
use ndarray::array;
use prost::Message;
use tract_onnx::pb::GraphProto;

/// The system's allocator, which knows what each thread has at once.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn grow(bytes: isize) {
    LIVE.set(LIVE.get() + bytes);
    MOST.set(MOST.get().max(LIVE.get()));
}

// SAFETY: each call is passed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size().cast_signed());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        grow(-layout.size().cast_signed());
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size.cast_signed() - layout.size().cast_signed());
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// The most memory that `call` has at once beyond what there was.
fn most(call: impl FnOnce()) -> usize {
    let before = LIVE.get();
    MOST.set(before);
    call();
    (MOST.get() - before).unsigned_abs()
}

const LOAD_BYTES: usize = 1 << 20;
const FILE_BYTES: usize = 1 << 16;
/// What errors and the like may take.
const SLACK: usize = 1 << 16;

fn varint(mut value: usize, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// A field that holds `content`: text, a message, or a list of numbers.
fn field(tag: usize, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint((tag << 3) | 2, &mut bytes);
    varint(content.len(), &mut bytes);
    bytes.extend(content);
    bytes
}

fn number(tag: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(tag << 3, &mut bytes);
    bytes.push(1);
    bytes
}

fn within(path: &[usize], content: Vec<u8>) -> Vec<u8> {
    path.iter()
        .rev()
        .fold(content, |content, &tag| field(tag, &content))
}

/// Where each message of the format lies: the tags that lead there.
const MESSAGES: [&[usize]; 23] = [
    &[],
    &[7],
    &[7, 1],
    &[7, 1, 5],
    &[7, 1, 5, 5],
    &[7, 1, 5, 6],
    &[7, 1, 5, 22],
    &[7, 1, 5, 22, 1],
    &[7, 5],
    &[7, 5, 13],
    &[7, 11],
    &[7, 12],
    &[7, 11, 2],
    &[7, 11, 2, 1],
    &[7, 11, 2, 1, 2],
    &[7, 11, 2, 1, 2, 1],
    &[7, 11, 2, 4],
    &[7, 11, 2, 5],
    &[7, 11, 2, 5, 2],
    &[7, 14],
    &[7, 15],
    &[20],
    &[25],
];

#[test]
fn nothing_in_a_file_takes_more_than_the_limits_allow() {
    let mut options = LoadOptions::default();
    options.limits.load_bytes = LOAD_BYTES;
    let mut refused = 0;
    for message in MESSAGES {
        for tag in 1..=30 {
            for content in [
                field(tag, &[]),
                field(tag, b"a"),
                number(tag),
                field(tag, &vec![1; FILE_BYTES]),
            ] {
                // Each of the messages on the way there may be what is repeated.
                for level in 0..=message.len() {
                    let unit = within(&message[level..], content.clone());
                    let many = unit.repeat((FILE_BYTES / unit.len()).max(1));
                    let file = within(&message[..level], many);
                    let taken = most(|| {
                        let error = Model::from_bytes_with(&file, &options).unwrap_err();
                        if error.kind() == LimitExceeded {
                            assert!(
                                error.to_string().contains("load_bytes of 1048576"),
                                "{error}"
                            );
                            refused += 1;
                        }
                    });
                    let allowed = 16 * file.len() + LOAD_BYTES + SLACK;
                    assert!(
                        taken <= allowed,
                        "{message:?} from {level}, field {tag}, {:?}: {taken} bytes of {allowed}",
                        &content[..content.len().min(8)]
                    );
                }
            }
        }
    }
    assert!(refused > 100, "{refused} of the files were too large");
}

#[test]
fn a_call_takes_what_it_may_make_and_a_copy_of_it() {
    const RUN_BYTES: usize = 1 << 20;

    let file = model(GraphProto {
        input: vec![info_of("X", &[1], INT64)],
        ..graph(vec![node("ConstantOfShape", &["X"], &["Y"])], vec![])
    });
    let mut options = LoadOptions::default();
    (options.limits.run_bytes, options.limits.row_bytes) = (RUN_BYTES, 0);
    let model = Model::from_bytes_with(file.encode_to_vec(), &options).unwrap();
    let run = |len: usize| {
        let shape = Value::from(array![i64::try_from(len).unwrap()]);
        model.run([("X", shape)])
    };
    let len = RUN_BYTES / size_of::<f32>();
    let taken = most(|| assert_eq!(run(len).unwrap()[0].1.shape(), [len]));
    assert!(taken <= 2 * RUN_BYTES + SLACK, "{taken}");
    let taken = most(|| assert_eq!(run(len + 1).unwrap_err().kind(), LimitExceeded));
    assert!(taken <= SLACK, "{taken}");
}
