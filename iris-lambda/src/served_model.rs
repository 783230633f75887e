//! Which model is served.

use std::path::Path;

use iris_core::Model;

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
pub(crate) fn load() -> Result<Served, String> {
    let Some(path) = settings::get("IRIS_MODEL") else {
        let model = Model::iris().map_err(|error| error::chain(&error))?;
        return Ok(Served {
            name: "iris".into(),
            model,
        });
    };
    let model = Model::from_path(&path)
        // Not later: such a model would refuse every request.
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
