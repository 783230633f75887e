use crate::runner::{Differences, run};

#[test]
fn recurrent() {
    run("recurrent", &Differences::default());
}
