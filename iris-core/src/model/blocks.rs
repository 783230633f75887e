//! Answers large batches block by block, on several threads where they gain time.
//!
//! Where each row of the outputs is made of the same row of the input alone, blocks of rows small enough for the caches cost
//! the same a row however many there are, and no copy of the whole input is made.

use std::num::NonZero;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use tract_onnx::prelude::{DatumType, TValue, TVec, Tensor, TractResult, tensor1};

use super::interrupt;
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Elements, TensorView, with_elements};

/// How much of the input goes into a block.
const BLOCK_BYTES: usize = 64 << 10;
const MOST_ROWS: usize = 4096;
const FEWEST_ROWS: usize = 256;
/// Less work than this is done before another thread has woken up.
const WORTH_A_THREAD: Duration = Duration::from_micros(200);
/// How many blocks are answered before their answers are put where they belong, for each thread.
const WAVE: usize = 16;
/// No more of them than take this time: so long may a caller wait who interrupts the call.
const WAVE_TIME: Duration = Duration::from_millis(100);

/// What any allocation has anyway. More of it the allocator finds room for by asking the system, each time.
const ALIGNMENT: usize = 16;

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

/// Runs `answer` on each block of `batch`, on up to `threads` threads, and joins what comes of them.
pub(crate) fn evaluate(
    batch: &TensorView<'_>,
    blocks: &[Range<usize>],
    threads: NonZero<usize>,
    answer: impl Fn(TensorView<'_>) -> Result<TVec<TValue>> + Sync,
) -> Result<TVec<TValue>> {
    let row_len = batch.shape[1..].iter().product::<usize>();
    let answer = |rows: &Range<usize>| {
        let mut shape: TVec<usize> = batch.shape.into();
        shape[0] = rows.len();
        let places = rows.start * row_len..rows.end * row_len;
        answer(TensorView {
            shape: &shape,
            elements: part(batch.elements, places)?,
        })
    };
    let [first, rest @ ..] = blocks else {
        return Err(joining("no blocks"));
    };
    let start = Instant::now();
    let answers = answer(first)?;
    let elapsed = start.elapsed();
    let left = elapsed * u32::try_from(rest.len()).unwrap_or(u32::MAX);
    let mut joined = Joined::new(batch.shape[0], &answers)?;
    if threads.get() == 1 || left < WORTH_A_THREAD {
        for rows in rest {
            interrupt::check()?;
            joined.push(rows, &answer(rows)?)?;
        }
    } else {
        let pool = pool(threads)?;
        let wave = WAVE_TIME.as_nanos() / elapsed.as_nanos().max(1);
        let wave = usize::try_from(wave).unwrap_or(WAVE).clamp(1, WAVE);
        for wave in rest.chunks(wave.saturating_mul(threads.get())) {
            interrupt::check()?;
            let answers: Vec<_> =
                pool.install(|| wave.par_iter().map(answer).collect::<Result<_>>())?;
            for (rows, answers) in wave.iter().zip(answers) {
                joined.push(rows, &answers)?;
            }
        }
    }
    Ok(joined.tensors.into_iter().map(TValue::from).collect())
}

fn part(elements: Elements<'_>, places: Range<usize>) -> Result<Elements<'_>> {
    with_elements!(elements, elements => {
        elements
            .get(places)
            .map(Into::into)
            .ok_or_else(|| joining("a block is outside its batch"))
    })
}

/// The outputs of all blocks.
struct Joined {
    tensors: TVec<Tensor>,
}

impl Joined {
    /// Room for `n_samples` rows of what the first block gave, and that in it.
    fn new(n_samples: usize, first: &[TValue]) -> Result<Self> {
        let n_rows = first.first().and_then(|t| t.shape().first().copied());
        let tensors = first.iter().map(|tensor| {
            let mut shape: TVec<usize> = tensor.shape().into();
            *shape
                .first_mut()
                .ok_or_else(|| joining("an output is a scalar"))? = n_samples;
            empty(tensor.datum_type(), &shape).map_err(joining)
        });
        let mut joined = Self {
            tensors: tensors.collect::<Result<_>>()?,
        };
        joined.push(&(0..n_rows.unwrap_or_default()), first)?;
        Ok(joined)
    }

    fn push(&mut self, rows: &Range<usize>, answers: &[TValue]) -> Result<()> {
        for (joined, answer) in self.tensors.iter_mut().zip(answers) {
            joined
                .assign_slice(rows.clone(), answer, .., 0)
                .map_err(joining)?;
        }
        Ok(())
    }
}

/// A tensor of zeros, or of strings with nothing in them.
fn empty(datum_type: DatumType, shape: &[usize]) -> TractResult<Tensor> {
    if datum_type == DatumType::String {
        tensor1(&vec![String::new(); shape.iter().product()]).into_shape(shape)
    } else {
        Tensor::zero_aligned_dt(datum_type, shape, ALIGNMENT)
    }
}

fn joining(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Run, format!("joining blocks of rows: {what}"))
}

/// Threads to answer blocks on: those of the last call, unless it wanted another number of them, or this is a fork of the
/// process that made them, in which they do not live.
fn pool(threads: NonZero<usize>) -> Result<Arc<rayon::ThreadPool>> {
    type Made = (u32, NonZero<usize>, Arc<rayon::ThreadPool>);
    static POOL: Mutex<Option<Made>> = Mutex::new(None);
    let mut made = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some((owner, size, pool)) = &*made
        && (*owner, *size) == (process, threads)
    {
        return Ok(Arc::clone(pool));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.get())
        .thread_name(|index| format!("iris-core {index}"))
        .build()
        .map_err(|e| Error::new(ErrorKind::Run, &e).with_source(e))?;
    let pool = Arc::new(pool);
    if let Some((owner, _, of_parent)) = made.replace((process, threads, Arc::clone(&pool)))
        && owner != process
    {
        // Ending it would wait for threads that are not there.
        std::mem::forget(of_parent);
    }
    Ok(pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(start: i16, rows: usize) -> TVec<TValue> {
        let numbers: Vec<i16> = (start..).take(rows).collect();
        let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        [tensor1(&numbers), tensor1(&texts)]
            .map(TValue::from)
            .into_iter()
            .collect()
    }

    #[test]
    fn joins_blocks_of_any_type() {
        let mut joined = Joined::new(5, &answers(0, 3)).expect("vectors");
        joined.push(&(3..5), &answers(3, 2)).expect("two more");
        let tensors: TVec<TValue> = joined.tensors.into_iter().map(TValue::from).collect();
        assert_eq!(tensors, answers(0, 5));
    }

    #[test]
    fn refuses_blocks_of_another_shape() {
        let mut joined = Joined::new(5, &answers(0, 3)).expect("vectors");
        for (rows, block) in [(3..5, answers(3, 3)), (4..6, answers(3, 2))] {
            assert!(joined.push(&rows, &block).is_err(), "{rows:?}");
        }
        let matrix = Tensor::zero::<i16>(&[2, 1]).expect("small");
        assert!(joined.push(&(3..5), &[matrix.into()]).is_err());
    }
}
