//! Built libraries by the hash of everything that they are made of.
//!
//! Several processes may use one folder: a library is built in a folder of its own and appears by a rename,
//! under a lock so that nothing is built twice. What has not been used for longest is removed when the
//! folder has grown too large; what is loaded somewhere stays usable there.

use crate::error::SimError;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// A folder of built libraries.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    limit: u64,
}

/// Bytes of libraries that are kept, unless said otherwise.
const LIMIT: u64 = 4 << 30;
/// Locks are files of which there are that many; two libraries that share one only wait for each other.
const LOCKS: u8 = 64;
/// How the names of what is built once for all libraries begin.
pub(crate) const RUNTIME: &str = "runtime";
/// Working folders of processes that were killed are removed when they are that old.
const ABANDONED: Duration = Duration::from_secs(3600);

static COUNTER: AtomicU64 = AtomicU64::new(0);

impl Cache {
    /// A folder of the caller's choice; it is made when something is built.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Cache { folder: folder.into(), limit: LIMIT }
    }

    /// The folder named by `RESTAGE_VERILATED`, or `target/verilated` of this workspace, or of the folder
    /// in which the process runs if the workspace is gone.
    pub fn standard() -> Self {
        if let Some(folder) = std::env::var_os("RESTAGE_VERILATED") {
            return Self::new(folder);
        }
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().filter(|p| p.is_dir());
        Self::new(workspace.unwrap_or(Path::new(".")).join("target/verilated"))
    }

    /// Keeps at most that many bytes.
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file whose name begins with `what` and that depends on nothing but these pieces. If there is none
    /// `make` is given an empty folder, and says what in it is to be kept. Also for what other tools make.
    pub fn made_of<E: From<SimError>>(
        &self,
        what: &str,
        pieces: &[&[u8]],
        make: impl FnOnce(&Path) -> Result<PathBuf, E>,
    ) -> Result<PathBuf, E> {
        self.file(&format!("{what}-{}", hex(&hash(pieces.iter().copied()))), make)
    }

    /// The file called `name`, which `make` writes into an empty folder if there is none.
    pub(crate) fn file<E: From<SimError>>(
        &self,
        name: &str,
        make: impl FnOnce(&Path) -> Result<PathBuf, E>,
    ) -> Result<PathBuf, E> {
        let path = self.folder.join(name);
        if self.touch(&path) {
            return Ok(path);
        }
        let _lock = self.lock(name)?;
        if self.touch(&path) {
            return Ok(path);
        }
        let work = Work::new(&self.folder)?;
        let made = make(&work.0)?;
        fs::rename(&made, &path).map_err(|e| E::from(SimError::io(&path)(e)))?;
        self.prune(&path);
        Ok(path)
    }

    /// Whether it is there; then it has been used now.
    fn touch(&self, path: &Path) -> bool {
        // A folder cannot be opened for that, and is not removed either.
        match File::open(path) {
            Ok(file) => {
                let _ = file.set_modified(SystemTime::now());
                true
            }
            Err(_) => false,
        }
    }

    fn lock(&self, name: &str) -> Result<File, SimError> {
        let folder = self.folder.join("locks");
        fs::create_dir_all(&folder).map_err(SimError::io(&folder))?;
        // A runtime is built while the lock of a library is held, so the two must not be the same.
        let path = folder.join(match name.split_once('-') {
            Some((RUNTIME, _)) => RUNTIME.to_string(),
            _ => (hash([name.as_bytes()]).first().copied().unwrap_or(0) % LOCKS).to_string(),
        });
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(SimError::io(&path))?;
        file.lock().map_err(SimError::io(&path))?;
        Ok(file)
    }

    /// Removes what has not been used for longest, but not `keep`. Failing to is no failure.
    fn prune(&self, keep: &Path) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut files = Vec::new();
        for entry in entries.flatten() {
            let (Ok(meta), path) = (entry.metadata(), entry.path()) else { continue };
            let used = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let age = SystemTime::now().duration_since(used).unwrap_or_default();
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(Work::PREFIX) && age > ABANDONED {
                let _ = fs::remove_dir_all(&path);
            } else if meta.is_file() && path != keep && !name.starts_with(RUNTIME) {
                files.push((used, meta.len(), path));
            }
        }
        let mut total: u64 = files.iter().map(|f| f.1).sum();
        files.sort();
        for (_, size, path) in files {
            if total <= self.limit {
                break;
            }
            if fs::remove_file(path).is_ok() {
                total -= size;
            }
        }
    }
}

/// A folder to work in, removed in the end.
struct Work(PathBuf);

impl Work {
    const PREFIX: &'static str = "work-";

    fn new(folder: &Path) -> Result<Self, SimError> {
        fs::create_dir_all(folder).map_err(SimError::io(folder))?;
        loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{}{}-{number}", Self::PREFIX, std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Work(path)),
                // Of a process that had the same number, maybe in another container.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(SimError::io(&path)(e)),
            }
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A hash of several pieces, each with its length, so that their borders count.
pub(crate) fn hash<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut digest = Sha256::new();
    for piece in pieces {
        digest.update((piece.len() as u64).to_le_bytes());
        digest.update(piece);
    }
    digest.finalize().to_vec()
}

/// The first 128 bits of a hash in hexadecimal.
pub(crate) fn hex(hash: &[u8]) -> String {
    hash.iter().take(16).map(|b| format!("{b:02x}")).collect()
}
