use crate::runner::{Differences, run};

#[test]
fn activations() {
    run("activations", &Differences::default());
}
