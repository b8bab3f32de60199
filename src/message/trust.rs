//! Secrets and certificates, read at each use: what was mended counts without a new start.

use std::path::{Path, PathBuf};

/// A secret out of its file, without the line break at its end. A name without a slash is a systemd
/// credential (`LoadCredential=` in the unit file).
pub(super) fn secret(file: &Path) -> Result<String, String> {
    let path = if file.components().count() == 1 {
        let dir = std::env::var_os("CREDENTIALS_DIRECTORY")
            .ok_or_else(|| format!("{}: systemd has passed no credentials; see LoadCredential=", file.display()))?;
        PathBuf::from(dir).join(file)
    } else {
        file.to_path_buf()
    };
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: cannot be read: {e}", path.display()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() { Err(format!("{}: is empty", path.display())) } else { Ok(text.to_owned()) }
}

/// A file of certificates, PEM.
pub(super) fn pem(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|e| format!("{}: cannot be read: {e}", file.display()))
}
