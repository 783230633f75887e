//! Answers large batches block by block, on several threads where they gain time.
//!
//! Where each row of the outputs is made of the same row of the input alone, blocks of rows small enough for the caches cost
//! the same a row however many there are, and no copy of the whole input is made.

pub(crate) mod helpers;

use std::iter::Enumerate;
use std::num::NonZero;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::vec;

use tract_onnx::prelude::TVec;

use crate::error::{Error, ErrorKind, Result};
use crate::guard::{interrupt, memory};
use crate::operator::steps::PerOutput;
use crate::value::owned::Filled;
use crate::value::slots::Slots;
use crate::value::view::{Elements, TensorView, with_elements};

/// How much of the input goes into a block.
const BLOCK_BYTES: usize = 64 << 10;
const MOST_ROWS: usize = 4096;
const FEWEST_ROWS: usize = 256;
/// Less work than this is done before another thread has woken up.
const WORTH_A_THREAD: Duration = Duration::from_micros(200);
/// So long may a caller wait who interrupts a call.
const WAVE_TIME: Duration = Duration::from_millis(100);

/// Splits a batch into blocks of rows, if it is large enough for more than one. Of rows with nothing in them there may be
/// more than there could be blocks.
pub(crate) fn split(batch: &TensorView<'_>) -> Option<Vec<Range<usize>>> {
    let (&n_samples, row) = batch.shape.split_first()?;
    let row_bytes = row.iter().product::<usize>().max(1) * size_of::<f32>();
    let rows = (BLOCK_BYTES / row_bytes).clamp(FEWEST_ROWS, MOST_ROWS);
    if n_samples <= rows || batch.elements.is_empty() {
        return None;
    }
    let starts = (0..n_samples).step_by(rows);
    Some(
        starts
            .map(|start| start..n_samples.min(start + rows))
            .collect(),
    )
}

/// Has `fill` put what it makes of each block of `batch` where it belongs in `outputs`, each of which has as many rows as the
/// batch; on up to `threads` threads, the caller's among them.
pub(crate) fn evaluate(
    batch: &TensorView<'_>,
    blocks: &[Range<usize>],
    threads: NonZero<usize>,
    outputs: &mut [Filled],
    fill: impl Fn(&TensorView<'_>, &mut [Option<Slots<'_>>]) -> Result<()> + Sync,
) -> Result<()> {
    let row_len = batch.shape[1..].iter().product::<usize>();
    let fill = |mut block: Block<'_>| {
        let mut shape: TVec<usize> = batch.shape.into();
        shape[0] = block.rows.len();
        let places = block.rows.start * row_len..block.rows.end * row_len;
        let view = TensorView {
            shape: &shape,
            elements: part(batch.elements, places)?,
        };
        fill(&view, &mut block.slots)
    };
    let mut blocks = with_slots(blocks, outputs).into_iter();
    let first = blocks.next().ok_or_else(|| wrong("no blocks"))?;
    let start = Instant::now();
    fill(first)?;
    let elapsed = start.elapsed();
    let left = elapsed * u32::try_from(blocks.len()).unwrap_or(u32::MAX);
    let width = threads.get().min(blocks.len());
    let pool = if width > 1 && left >= WORTH_A_THREAD {
        helpers::pool(width - 1)
    } else {
        None
    };
    let Some(pool) = pool else {
        for block in blocks {
            interrupt::check()?;
            fill(block)?;
        }
        return Ok(());
    };
    let n_helpers = pool.current_num_threads().min(width - 1);
    let _helped = memory::Helped::by(n_helpers);
    let wave = WAVE_TIME.as_nanos() / elapsed.as_nanos().max(1);
    let wave = usize::try_from(wave).unwrap_or(usize::MAX).max(1);
    let wave = wave.saturating_mul(1 + n_helpers);
    while blocks.len() > 0 {
        interrupt::check()?;
        let wave = Wave::new(blocks.by_ref().take(wave).collect());
        pool.in_place_scope(|scope| {
            for _ in 0..n_helpers {
                scope.spawn(|_| wave.work(fill));
            }
            wave.work(fill);
        });
        wave.result()?;
    }
    Ok(())
}

/// Blocks that the caller and its helpers take one after the other, whoever is free. The caller works, too: it waits for no
/// helper but one that has begun, or one that other callers keep busy with no more than a wave of theirs.
struct Wave<'y>(Mutex<Left<'y>>);

struct Left<'y> {
    blocks: Enumerate<vec::IntoIter<Block<'y>>>,
    /// The first block that failed of those that did: what one thread alone would say.
    failure: Option<(usize, Error)>,
}

impl<'y> Wave<'y> {
    fn new(blocks: Vec<Block<'y>>) -> Self {
        Self(Mutex::new(Left {
            blocks: blocks.into_iter().enumerate(),
            failure: None,
        }))
    }

    /// Fills blocks until none is left, or one has failed.
    fn work(&self, fill: impl Fn(Block<'y>) -> Result<()>) {
        while let Some((index, block)) = self.next() {
            if let Err(error) = fill(block) {
                let failure = &mut self.left().failure;
                if failure.as_ref().is_none_or(|&(first, _)| index < first) {
                    *failure = Some((index, error));
                }
            }
        }
    }

    fn next(&self) -> Option<(usize, Block<'y>)> {
        let mut left = self.left();
        match left.failure {
            None => left.blocks.next(),
            Some(_) => None,
        }
    }

    fn left(&self) -> MutexGuard<'_, Left<'y>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn result(self) -> Result<()> {
        let left = self.0.into_inner();
        match left.unwrap_or_else(PoisonError::into_inner).failure {
            None => Ok(()),
            Some((_, error)) => Err(error),
        }
    }
}

/// Some rows of a batch, and the slots for the same rows of each output.
struct Block<'y> {
    rows: Range<usize>,
    slots: PerOutput<Option<Slots<'y>>>,
}

/// Gives each block its rows of `outputs`, which lie one after the other.
fn with_slots<'y>(blocks: &[Range<usize>], outputs: &'y mut [Filled]) -> Vec<Block<'y>> {
    let mut with_slots: Vec<Block<'y>> = blocks
        .iter()
        .map(|rows| Block {
            rows: rows.clone(),
            slots: PerOutput::with_capacity(outputs.len()),
        })
        .collect();
    for output in outputs {
        let row_len = output.shape().iter().skip(1).product::<usize>();
        let mut rest = output.slots();
        for block in &mut with_slots {
            let (slots, others) = rest.split_at(block.rows.len() * row_len);
            block.slots.push(Some(slots));
            rest = others;
        }
    }
    with_slots
}

fn part(elements: Elements<'_>, places: Range<usize>) -> Result<Elements<'_>> {
    with_elements!(elements, elements => {
        elements
            .get(places)
            .map(Into::into)
            .ok_or_else(|| wrong("a block is outside its batch"))
    })
}

fn wrong(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Run, format!("blocks of rows: {what}"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ndarray::{Array1, Array2};
    use tract_onnx::prelude::tvec;

    use super::*;
    use crate::value::element::ElementType;
    use crate::value::slots::Slot;

    const N_SAMPLES: usize = 7;

    /// Numbers of rows, and their texts twice.
    fn fill(view: &TensorView<'_>, slots: &mut [Option<Slots<'_>>]) -> Result<()> {
        let Elements::Int32(numbers) = view.elements else {
            return Err(wrong("another type"));
        };
        let [doubled, texts] = slots else {
            return Err(wrong("expected two outputs"));
        };
        let (Some(doubled), Some(texts)) = (doubled.take(), texts.take()) else {
            return Err(wrong("expected two outputs"));
        };
        for (slot, number) in i64::of(doubled).expect("integers").iter_mut().zip(numbers) {
            *slot = 2 * i64::from(*number);
        }
        let texts = String::of(texts).expect("texts");
        for (pair, number) in texts.chunks_exact_mut(2).zip(numbers) {
            pair.fill(number.to_string());
        }
        Ok(())
    }

    #[test]
    fn puts_rows_where_they_belong() {
        let numbers: Vec<i32> = (0..).take(N_SAMPLES).collect();
        let batch = TensorView {
            shape: &[N_SAMPLES, 1],
            elements: numbers.as_slice().into(),
        };
        let doubled = Array1::from_iter(numbers.iter().map(|&number| 2 * i64::from(number)));
        let texts = Array2::from_shape_fn((N_SAMPLES, 2), |(row, _)| numbers[row].to_string());
        for threads in [1, 2] {
            let mut outputs = [
                Filled::empty(ElementType::Int64, tvec![N_SAMPLES]).expect("little memory"),
                Filled::empty(ElementType::String, tvec![N_SAMPLES, 2]).expect("little memory"),
            ];
            let threads = NonZero::new(threads).expect("some");
            evaluate(&batch, &[0..3, 3..6, 6..7], threads, &mut outputs, fill).expect("fits");
            let values = outputs.map(|output| output.into_value().expect("a tensor"));
            assert_eq!(values, [doubled.clone().into(), texts.clone().into()]);
        }
    }

    /// What `threads` threads make of `n_blocks` blocks of one row, each of which `fill` is told the number of.
    fn ask(
        threads: usize,
        n_blocks: usize,
        fill: impl Fn(usize) -> Result<()> + Sync,
    ) -> Result<()> {
        let numbers: Vec<i64> = (0..).take(n_blocks).collect();
        let batch = TensorView {
            shape: &[n_blocks, 1],
            elements: numbers.as_slice().into(),
        };
        let blocks: Vec<_> = (0..n_blocks).map(|row| row..row + 1).collect();
        let threads = NonZero::new(threads).expect("some");
        let mut outputs = [Filled::empty(ElementType::Int64, tvec![n_blocks])?];
        evaluate(&batch, &blocks, threads, &mut outputs, |view, slots| {
            let (Elements::Int64(&[number]), [slot]) = (view.elements, slots) else {
                return Err(wrong("expected a row and an output"));
            };
            i64::of(slot.take().expect("a slot")).expect("integers")[0] = number;
            fill(number as usize)
        })?;
        let [output] = outputs;
        let expected = Array1::from(numbers).into();
        assert_eq!(output.into_value().expect("a tensor"), expected);
        Ok(())
    }

    #[test]
    fn no_more_blocks_at_once_than_threads() {
        for threads in [4, 1, 2, 3, 10_000] {
            let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            ask(threads, 100, |_| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(1));
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
            .expect("fills");
            let most = most.into_inner();
            assert!(most <= threads, "{most} at once on {threads} threads");
            assert!(threads == 1 || most > 1, "one by one on {threads} threads");
        }
    }

    #[test]
    fn the_first_block_that_fails_is_named() {
        for threads in [1, 4] {
            let error = ask(threads, 100, |number| {
                std::thread::sleep(Duration::from_millis(1 + (100 - number as u64) / 20));
                if number >= 10 {
                    return Err(wrong(number));
                }
                Ok(())
            });
            assert_eq!(error.expect_err("fails").to_string(), wrong(10).to_string());
        }
    }

    #[test]
    fn calls_of_any_widths_at_once() {
        std::thread::scope(|scope| {
            for threads in 1..9 {
                scope.spawn(move || {
                    for _ in 0..20 {
                        ask(threads, 50, |_| {
                            std::thread::sleep(Duration::from_micros(50));
                            Ok(())
                        })
                        .expect("fills");
                    }
                });
            }
        });
    }
}
