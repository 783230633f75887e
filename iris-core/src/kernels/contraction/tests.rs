use tract_ndarray::Dimension;
use tract_onnx::tract_hir::internal::*;

use crate::error::ErrorKind;
use crate::kernels::contraction::labels::{Label, Labels, MAX_LABELS};
use crate::operator::Operator;
use crate::ops::math::product::Product;
use crate::value::tensors;

/// The labels of an equation: of each letter its place in the alphabet.
fn labels(equation: &str) -> Labels {
    let (factors, output) = equation.split_once("->").expect("an equation");
    let term = |term: &str| {
        term.bytes()
            .map(|letter| usize::from(letter - b'a'))
            .collect()
    };
    Labels::new(factors.split(',').map(term).collect(), term(output)).expect("an equation")
}

/// Small whole numbers, whose sums are exact.
fn numbers(shape: &[usize], seed: usize) -> Tensor {
    let len = shape.iter().product::<usize>();
    let numbers = (0..len).map(|i| ((i + seed) * (5 + seed) % 7) as f64 - 3.0);
    tensors::from_vec(shape, numbers.collect()).expect("fits")
}

fn shape_of(labels: &Labels, shapes: &[&[usize]]) -> Vec<usize> {
    let size = |label: &Label| {
        let axes = labels.factors().iter().zip(shapes);
        let axes = axes.flat_map(|(labels, shape)| labels.iter().zip(*shape));
        let sizes = axes
            .filter(|(other, _)| *other == label)
            .map(|(_, &size)| size);
        sizes.into_iter().find(|&size| size != 1).unwrap_or(1)
    };
    labels.output().iter().map(size).collect()
}

/// The product by its definition.
fn expected(labels: &Labels, factors: &[Tensor]) -> Vec<f64> {
    let shapes: Vec<&[usize]> = factors.iter().map(Tensor::shape).collect();
    let shape = shape_of(labels, &shapes);
    let mut summed: Vec<Label> = labels.factors().iter().flatten().copied().collect();
    summed.sort_unstable();
    summed.dedup();
    summed.retain(|label| !labels.output().contains(label));
    let size = |label: &Label| {
        let factor = labels.factors().iter().position(|all| all.contains(label));
        let factor = factor.expect("is there");
        let axis = labels.factors()[factor]
            .iter()
            .position(|other| other == label);
        shapes[factor][axis.expect("is there")]
    };
    let summed_shape: Vec<usize> = summed.iter().map(size).collect();
    let mut at = [0; MAX_LABELS];
    let mut product = vec![];
    for output in tract_ndarray::indices(&*shape) {
        let output = output.slice().to_vec();
        labels
            .output()
            .iter()
            .zip(output)
            .for_each(|(&label, index)| at[label] = index);
        let mut sum = 0.0;
        for indices in tract_ndarray::indices(&*summed_shape) {
            let indices = indices.slice().to_vec();
            summed
                .iter()
                .zip(indices)
                .for_each(|(&label, index)| at[label] = index);
            let number = |(factor, labels): (&Tensor, &Vec<Label>)| {
                let places = labels.iter().zip(factor.shape());
                let place = places.fold(0, |place, (&label, &size)| {
                    place * size + if size == 1 { 0 } else { at[label] }
                });
                factor
                    .try_as_plain_ram()
                    .expect("plain")
                    .as_slice::<f64>()
                    .expect("double")[place]
            };
            sum += factors
                .iter()
                .zip(labels.factors())
                .map(number)
                .product::<f64>();
        }
        product.push(sum);
    }
    product
}

/// The product of factors of one type.
fn product_of(labels: &Labels, factors: &[Tensor]) -> TractResult<Tensor> {
    let factors: Vec<TValue> = factors
        .iter()
        .map(|factor| factor.clone().into_tvalue())
        .collect();
    let product = Product::new(labels.clone()).eval(&factors, &[0])?;
    Ok(product[0].clone().into_tensor())
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn multiplies_as_its_definition() {
    let cases: &[(&str, &[&[usize]])] = &[
        // Matrices, transposed or not, of few numbers and of many.
        ("ij,jk->ik", &[&[2, 3], &[3, 4]]),
        ("ij,jk->ik", &[&[50, 33], &[33, 40]]),
        ("ij,jk->ki", &[&[50, 33], &[33, 40]]),
        ("ij,kj->ik", &[&[17, 40], &[9, 40]]),
        ("ji,jk->ik", &[&[40, 5], &[40, 70]]),
        ("ji,kj->ki", &[&[40, 5], &[70, 40]]),
        ("ij,jk->ik", &[&[4, 2050], &[2050, 5]]),
        ("ji,kj->ik", &[&[2050, 5], &[4, 2050]]),
        ("ij,jk->ik", &[&[500, 3], &[3, 33]]),
        ("ijk,kjl->il", &[&[6, 7, 5], &[5, 7, 8]]),
        ("ijk,jkl->li", &[&[6, 7, 5], &[7, 5, 8]]),
        // Vectors.
        ("i,i->", &[&[1000], &[1000]]),
        ("j,jk->k", &[&[30], &[30, 50]]),
        ("j,kj->k", &[&[30], &[50, 30]]),
        ("ij,j->i", &[&[50, 30], &[30]]),
        ("ji,j->i", &[&[50, 30], &[50]]),
        ("i,j->ij", &[&[5], &[6]]),
        ("i,j->ji", &[&[50], &[60]]),
        ("i,j->", &[&[5], &[6]]),
        ("i,i->i", &[&[50], &[50]]),
        // Many matrices.
        ("bij,bjk->bik", &[&[3, 8, 16], &[3, 16, 8]]),
        ("bij,bjk->ikb", &[&[3, 8, 16], &[3, 16, 8]]),
        ("ibj,jbk->bki", &[&[9, 3, 16], &[16, 3, 8]]),
        ("bij,jk->bik", &[&[3, 8, 16], &[16, 8]]),
        ("ij,bjk->bik", &[&[8, 16], &[3, 16, 8]]),
        ("bcij,cjk->bcik", &[&[2, 3, 8, 16], &[3, 16, 8]]),
        ("bi,bi->b", &[&[20, 33], &[20, 33]]),
        ("bi,bj->bij", &[&[20, 3], &[20, 4]]),
        // One factor.
        ("ij->ij", &[&[3, 4]]),
        ("ij->ji", &[&[3, 4]]),
        ("ij->j", &[&[30, 40]]),
        ("ij->i", &[&[30, 40]]),
        ("ij->", &[&[30, 40]]),
        ("ii->i", &[&[5, 5]]),
        ("ii->", &[&[5, 5]]),
        ("iij->ji", &[&[5, 5, 3]]),
        ("ijij->ij", &[&[2, 3, 2, 3]]),
        ("->", &[&[]]),
        // Scalars.
        (",->", &[&[], &[]]),
        (",ij->ij", &[&[], &[3, 4]]),
        ("ij,->ji", &[&[3, 4], &[]]),
        // Diagonals of factors, and sums of one factor only.
        ("ii,ij->ij", &[&[4, 4], &[4, 3]]),
        ("ij,jj->i", &[&[3, 4], &[4, 4]]),
        ("ij,jk->k", &[&[20, 30], &[30, 40]]),
        ("ij,kl->", &[&[20, 30], &[30, 40]]),
        ("ij,kl->il", &[&[20, 30], &[30, 40]]),
        // More factors.
        ("ij,jk,kl->il", &[&[9, 10], &[10, 11], &[11, 12]]),
        ("ij,kl,jl->ik", &[&[9, 10], &[11, 12], &[10, 12]]),
        ("i,j,k->kji", &[&[2], &[3], &[4]]),
        ("i,i,i->i", &[&[4], &[4], &[4]]),
        ("i,j,k,ijk->", &[&[2], &[3], &[4], &[2, 3, 4]]),
        ("a,ab,b,bc,c->", &[&[5], &[5, 6], &[6], &[6, 7], &[7]]),
        (",,i->i", &[&[], &[], &[3]]),
        // What is 1 is repeated.
        ("bij,bjk->bik", &[&[1, 8, 16], &[3, 16, 8]]),
        ("bij,bjk->bik", &[&[3, 8, 16], &[1, 16, 8]]),
        ("ij,ij->ij", &[&[1, 4], &[3, 1]]),
        ("ij,ij->ji", &[&[1, 4], &[3, 1]]),
        ("ij,ij->i", &[&[3, 4], &[1, 4]]),
        ("i,i,i->i", &[&[1], &[5], &[1]]),
        ("ii->i", &[&[1, 5]]),
        ("ij,jk->ik", &[&[1, 1], &[1, 1]]),
        ("ij,jk->ik", &[&[1, 30], &[30, 1]]),
        ("ij,jk->ik", &[&[1, 30], &[30, 50]]),
        // Nothing.
        ("ij,jk->ik", &[&[0, 3], &[3, 2]]),
        ("ij,jk->ik", &[&[3, 0], &[0, 2]]),
        ("ij,jk->ik", &[&[3, 2], &[2, 0]]),
        ("i,j->ij", &[&[0], &[3]]),
        ("i,i->i", &[&[0], &[1]]),
        ("i,i->", &[&[0], &[0]]),
        ("ij->i", &[&[3, 0]]),
        ("i,ij,jk->k", &[&[2], &[2, 0], &[0, 3]]),
    ];
    for &(equation, shapes) in cases {
        let labels = labels(equation);
        let factors = shapes.iter().enumerate();
        let factors: Vec<Tensor> = factors.map(|(seed, shape)| numbers(shape, seed)).collect();
        let expected = expected(&labels, &factors);
        for datum_type in [
            DatumType::F64,
            DatumType::F32,
            DatumType::I64,
            DatumType::I32,
        ] {
            let factors = factors.iter().map(|factor| factor.cast_to_dt(datum_type));
            let factors: Vec<Tensor> = factors
                .map(|factor| factor.expect("numbers").into_owned())
                .collect();
            let product = product_of(&labels, &factors).expect("fits");
            assert_eq!(product.datum_type(), datum_type, "{equation}");
            assert_eq!(product.shape(), shape_of(&labels, shapes), "{equation}");
            let product = product.cast_to::<f64>().expect("numbers");
            let product = product.try_as_plain_ram().expect("plain");
            let product = product.as_slice::<f64>().expect("double");
            assert_eq!(product, expected, "{equation} {shapes:?} {datum_type:?}");
            let dims: Vec<TVec<TDim>> = shapes
                .iter()
                .map(|shape| shape.iter().map(ToDim::to_dim).collect())
                .collect();
            let facts: Vec<TypedFact> = dims.iter().map(|dims| datum_type.fact(dims)).collect();
            let facts =
                Product::new(labels.clone()).output_facts(&facts.iter().collect::<Vec<_>>());
            let shape: TVec<TDim> = shape_of(&labels, shapes)
                .iter()
                .map(ToDim::to_dim)
                .collect();
            assert_eq!(
                facts.expect("fits")[0],
                datum_type.fact(shape),
                "{equation}"
            );
        }
    }
}

#[test]
fn refuses_sizes_that_do_not_fit() {
    let cases: &[(&str, &[&[usize]])] = &[
        ("ij,jk->ik", &[&[3, 4], &[5, 2]]),
        ("ij,jk->ik", &[&[3, 1], &[5, 2]]),
        ("ij,jk->ik", &[&[3, 5], &[1, 2]]),
        ("ij,jk->ik", &[&[3, 0], &[1, 2]]),
        ("bi,bi->b", &[&[2, 3], &[3, 3]]),
        ("i,i->i", &[&[0], &[2]]),
        ("ii->i", &[&[3, 4]]),
        ("ii->", &[&[1, 4]]),
        ("i,j,i->", &[&[2], &[3], &[4]]),
    ];
    for &(equation, shapes) in cases {
        let product = Product::new(labels(equation));
        let factors: Vec<TValue> = shapes
            .iter()
            .map(|shape| numbers(shape, 0).into_tvalue())
            .collect();
        let error = product.eval(&factors, &[0]).expect_err(equation);
        let error = error
            .downcast::<crate::error::Error>()
            .expect("one of ours");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("of another, got"), "{error}");
        let facts: Vec<TypedFact> = factors.iter().map(|x| f64::fact(x.shape())).collect();
        let facts: Vec<&TypedFact> = facts.iter().collect();
        let error = product.output_facts(&facts).expect_err(equation);
        assert!(error.to_string().contains("numbers, got"), "{error}");
    }
}

#[test]
fn dimensions_may_be_unknown() {
    let symbols = SymbolScope::default();
    let [n, m] = ["n", "m"].map(|name| symbols.sym(name).to_dim());
    let [one, three] = [1, 3].map(|size: usize| size.to_dim());
    let cases = [
        (
            "ij,jk->ik",
            [[&n, &m], [&three, &n]],
            Some([n.clone(), n.clone()]),
        ),
        (
            "ij,ij->ij",
            [[&n, &m], [&n, &one]],
            Some([n.clone(), m.clone()]),
        ),
        (
            "ij,ij->ji",
            [[&n, &m], [&three, &m]],
            Some([m.clone(), three.clone()]),
        ),
        (
            "ij,ij->ij",
            [[&n, &m], [&one, &three]],
            Some([n.clone(), three.clone()]),
        ),
        ("ij,jk->ik", [[&n, &one], [&three, &m]], None),
    ];
    for (equation, dims, expected) in cases {
        let facts = dims.map(f32::fact);
        let product = Product::new(labels(equation)).output_facts(&[&facts[0], &facts[1]]);
        match expected {
            Some(expected) => {
                let product = product.expect("may fit");
                assert_eq!(product[0].shape.dims(), expected, "{equation}");
            }
            None => assert!(product.is_err(), "{equation}"),
        }
    }
}

#[test]
fn integers_wrap_around() {
    #[allow(
        clippy::needless_pass_by_value,
        reason = "reads better where it is called"
    )]
    fn check<T: Datum + PartialEq>(a: [T; 2], b: [T; 2], expected: T) {
        let factors = [tensor1(&a), tensor1(&b)];
        let product = product_of(&labels("i,i->"), &factors).expect("fits");
        assert_eq!(product, tensor0(expected));
    }
    check([i64::MAX, 1], [2, 3], 1);
    check([i32::MAX, 1], [2, 3], 1);
    check([i16::MIN, 7], [-1, 1], i16::MIN + 7);
    check([i8::MAX, 1], [2, 3], 1);
    check([u64::MAX, 1], [2, 3], 1);
    check([u32::MAX, 1], [2, 3], 1);
    check([u16::MAX, 1], [u16::MAX, 1], 2);
    check([200_u8, 100], [2, 1], 244);
}

#[test]
fn sums_of_float16_are_made_in_float() {
    let ones = Tensor::from(tract_ndarray::Array1::from_elem(3000, f16::from_f32(1.0)));
    let product = product_of(&labels("i,i->"), &[ones.clone(), ones]).expect("fits");
    assert_eq!(product, tensor0(f16::from_f32(3000.0)));
}

#[test]
fn refuses_what_are_no_numbers_of_one_type() {
    let product = Product::new(labels("i,i->"));
    for (a, b) in [
        (DatumType::F32, DatumType::F64),
        (DatumType::I64, DatumType::I32),
        (DatumType::String, DatumType::String),
        (DatumType::Bool, DatumType::Bool),
        (DatumType::TDim, DatumType::TDim),
    ] {
        let facts = [a.fact([2]), b.fact([2])];
        let error = product
            .output_facts(&[&facts[0], &facts[1]])
            .expect_err("other types");
        assert!(error.to_string().contains("a product of"), "{error}");
    }
    let fact = f32::fact([2, 2]);
    assert!(product.output_facts(&[&fact, &fact]).is_err());
    assert!(product.output_facts(&[&fact]).is_err());
}

#[test]
fn what_is_in_between_is_within_limits() {
    let factors: Vec<Tensor> = (0..6).map(|seed| numbers(&[30, 30], seed)).collect();
    let run = || product_of(&labels("ab,ac,ad,bc,bd,cd->"), &factors).map(|_| ());
    let error = crate::guard::budget::running(1 << 13, run).expect_err("too much");
    let error = error
        .downcast::<crate::error::Error>()
        .expect("one of ours");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    let run = || product_of(&labels("ab,cd,bd->ac"), &factors[..3]);
    let product = crate::guard::budget::running(1 << 13, run).expect("a matrix");
    assert_eq!(product.shape(), [30, 30]);
}

#[test]
fn knows_products_of_matrices() {
    let of = |equation: &str, transposed| {
        labels(equation).are_those_of(&Labels::of_matrices([false, transposed]))
    };
    assert!(of("ij,jk->ik", false) && of("ij,kj->ik", true) && of("xa,ab->xb", false));
    for equation in [
        "ij,jk->ki",
        "ij,jk->i",
        "ij,ij->ij",
        "ji,jk->ik",
        "ij,jj->ij",
        "ij,k->ik",
    ] {
        assert!(!of(equation, false) && !of(equation, true), "{equation}");
    }
}
