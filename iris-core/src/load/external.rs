//! Reads constants that lie in other files, where the options allow it: from the model's own folder and from nowhere else.
//!
//! Source: [external data](https://github.com/onnx/onnx/blob/main/docs/ExternalData.md). Each way out of the folder has been
//! an attack on other readers: `..` ([CVE-2022-25882](https://nvd.nist.gov/vuln/detail/CVE-2022-25882),
//! [CVE-2024-27318](https://nvd.nist.gov/vuln/detail/CVE-2024-27318)), and links
//! ([CVE-2026-27489](https://nvd.nist.gov/vuln/detail/CVE-2026-27489)).

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use tract_onnx::pb::tensor_proto::DataLocation;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, StringStringEntryProto, TensorProto};

use crate::error::{Error, ErrorKind, Result, invalid};
use crate::guard::budget;
use crate::guard::budget::Limits;

/// Puts the data of all constants of `model` that lie in files of `folder` where other constants have theirs.
pub(crate) fn read(model: &mut ModelProto, folder: Option<&Path>, limits: &Limits) -> Result<()> {
    let mut reader = Reader {
        folder,
        limits,
        bytes_left: limits.constant_bytes,
    };
    for function in &mut model.functions {
        reader.nodes(&mut function.node)?;
    }
    model
        .graph
        .iter_mut()
        .try_for_each(|graph| reader.graph(graph))
}

struct Reader<'a> {
    folder: Option<&'a Path>,
    limits: &'a Limits,
    bytes_left: usize,
}

impl Reader<'_> {
    fn graph(&mut self, graph: &mut GraphProto) -> Result<()> {
        for tensor in &mut graph.initializer {
            self.tensor(tensor)?;
        }
        self.nodes(&mut graph.node)
    }

    fn nodes(&mut self, nodes: &mut [NodeProto]) -> Result<()> {
        for attribute in nodes.iter_mut().flat_map(|node| &mut node.attribute) {
            for tensor in attribute.t.iter_mut().chain(&mut attribute.tensors) {
                self.tensor(tensor)?;
            }
            for graph in attribute.g.iter_mut().chain(&mut attribute.graphs) {
                self.graph(graph)?;
            }
        }
        Ok(())
    }

    fn tensor(&mut self, tensor: &mut TensorProto) -> Result<()> {
        if tensor.data_location != Some(DataLocation::External.into()) {
            return Ok(());
        }
        let data = self
            .data(&tensor.external_data)
            .map_err(|e| e.within(format!("external data of {:?}", tensor.name)))?;
        tensor.raw_data = data;
        tensor.external_data.clear();
        tensor.data_location = None;
        Ok(())
    }

    fn data(&mut self, entries: &[StringStringEntryProto]) -> Result<Vec<u8>> {
        let place = Place::read(entries)?;
        let folder = self
            .folder
            .ok_or_else(|| invalid("a model that is read from bytes has no folder"))?;
        let path = confined(folder, place.location)?;
        let at = |error: std::io::Error| {
            Error::new(ErrorKind::Io, format!("{}: {error}", path.display())).with_source(error)
        };
        let mut file = File::open(&path).map_err(at)?;
        let metadata = file.metadata().map_err(at)?;
        check_file(&metadata)?;
        let rest = metadata.len().checked_sub(place.offset);
        let rest = rest.ok_or_else(|| {
            let message = format!("offset {} is behind the file's end", place.offset);
            invalid(message)
        })?;
        let len = place.length.unwrap_or(rest);
        if len > rest {
            let what = format!("{len} bytes at offset {} are not there", place.offset);
            return Err(invalid(what));
        }
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if len > self.limits.tensor_bytes {
            let what = format!("a constant of {len} bytes is larger");
            let limit = self.limits.tensor_bytes;
            return Err(budget::exceeded("tensor_bytes", limit, what));
        }
        self.bytes_left = self.bytes_left.checked_sub(len).ok_or_else(|| {
            let limit = self.limits.constant_bytes;
            budget::exceeded("constant_bytes", limit, "external data is larger")
        })?;
        file.seek(SeekFrom::Start(place.offset)).map_err(at)?;
        let mut data = Vec::with_capacity(len);
        file.take(len as u64).read_to_end(&mut data).map_err(at)?;
        Ok(data)
    }
}

/// Where a tensor's data lies.
struct Place<'a> {
    location: &'a str,
    offset: u64,
    length: Option<u64>,
}

impl<'a> Place<'a> {
    fn read(entries: &'a [StringStringEntryProto]) -> Result<Self> {
        let (mut location, mut offset, mut length) = (None, None, None);
        for entry in entries {
            let number = || {
                let not_a_number = |_| invalid(format!("{}: {:?}", entry.key, entry.value));
                entry.value.parse::<u64>().map_err(not_a_number)
            };
            let is_second = match entry.key.as_str() {
                "location" => location.replace(entry.value.as_str()).is_some(),
                "offset" => offset.replace(number()?).is_some(),
                "length" => length.replace(number()?).is_some(),
                key => return Err(invalid(format!("{key:?} is not supported"))),
            };
            if is_second {
                return Err(invalid(format!("{:?} is given twice", entry.key)));
            }
        }
        Ok(Self {
            location: location.ok_or_else(|| invalid("no location"))?,
            offset: offset.unwrap_or_default(),
            length,
        })
    }
}

/// The path of `location` in `folder`, no part of which leads out of it.
fn confined(folder: &Path, location: &str) -> Result<PathBuf> {
    let refused = |why: &str| invalid(format!("location {location:?}: {why}"));
    let is_plain = |component| matches!(component, Component::Normal(_));
    if location.is_empty()
        || location.contains(['\\', '\0', ':'])
        || !Path::new(location).components().all(is_plain)
    {
        return Err(refused("expected a path below the model's folder"));
    }
    let mut path = if folder.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        folder.to_owned()
    };
    for component in Path::new(location).components() {
        path.push(component);
        let is_link = path.symlink_metadata().is_ok_and(|m| m.is_symlink());
        if is_link {
            return Err(refused("leads through a link"));
        }
    }
    Ok(path)
}

/// Refuses what is no file of its own: reading a pipe may never end, and a second name may be that of a file elsewhere.
fn check_file(metadata: &Metadata) -> Result<()> {
    if !metadata.is_file() {
        return Err(invalid("not a file"));
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(metadata) > 1 {
        return Err(invalid("the file has a second name: a link"));
    }
    Ok(())
}
