//! The model that is served: the one that `IRIS_MODEL` names, or the embedded one.

use std::path::Path;

use iris_core::Model;

use crate::{error, settings};

/// A model and its name.
pub(crate) struct Served {
    /// The name of the model's file, or `iris` for the embedded model.
    pub(crate) name: String,
    pub(crate) model: Model,
}

/// Loads the model that `IRIS_MODEL` names, or the embedded one.
///
/// # Errors
/// If the file cannot be loaded, or holds a model that does not predict for rows of numbers.
pub(crate) fn load() -> Result<Served, String> {
    let Some(path) = settings::get("IRIS_MODEL") else {
        let model = Model::iris().map_err(|error| error::chain(&error))?;
        return Ok(Served {
            name: "iris".into(),
            model,
        });
    };
    let model = Model::from_path(&path)
        // A model that does not predict for rows would refuse every request, so it is refused at once.
        .and_then(|model| model.predicts_rows().map(|()| model))
        .map_err(|error| format!("IRIS_MODEL: {}", error::chain(&error)))?;
    let name = Path::new(&path)
        .file_name()
        .map_or(path.as_str().into(), |name| name.to_string_lossy());
    Ok(Served {
        name: name.into_owned(),
        model,
    })
}
