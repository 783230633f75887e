//! Which model is served.

use std::path::Path;

use iris_core::{ErrorKind, Model, Result};

use crate::{error, settings};

/// A model and what to call it.
pub(crate) struct Served {
    pub(crate) name: String,
    pub(crate) model: Model,
}

/// Loads the model that `IRIS_MODEL` names, or the embedded one.
///
/// # Errors
/// If the file cannot be loaded, or holds a model that does not predict for rows of numbers.
pub(crate) fn load() -> std::result::Result<Served, String> {
    let Some(path) = settings::get("IRIS_MODEL") else {
        let model = Model::iris().map_err(|error| error::chain(&error))?;
        return Ok(Served {
            name: "iris".into(),
            model,
        });
    };
    let model = Model::from_path(&path)
        .and_then(|model| check(&model).map(|()| model))
        .map_err(|error| format!("IRIS_MODEL: {}", error::chain(&error)))?;
    let name = Path::new(&path)
        .file_name()
        .map_or(path.as_str().into(), |name| name.to_string_lossy());
    Ok(Served {
        name: name.into_owned(),
        model,
    })
}

/// Refuses at the start a model that would refuse every request.
fn check(model: &Model) -> Result<()> {
    match model.predict(Vec::<Vec<f64>>::new()) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::MissingOutput
            ) =>
        {
            Err(error)
        }
        // A model that fails on no rows at all may well take some.
        _ => Ok(()),
    }
}
