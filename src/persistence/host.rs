//! Copies for other processes (spec 06, 7.7): whoever holds a file for writing writes a copy of it when
//! another process of the same user asks over a local socket.
//!
//! The socket stands in a runtime folder that only its user may enter, under a name that follows from the
//! file's path. One line of JSON goes each way; before the answer empty lines say that somebody works at it.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use duckdb::Connection;
use serde::{Deserialize, Serialize};

use super::PersistenceError;
use super::copy::{self, IsUnwanted, LOOK};
use crate::event::sha256_hex_of;

/// Bytes that a request or an answer has at most.
const MAX_LINE: u64 = 1 << 16;
/// How long the other side may take to say what it wants, or that it is still there.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often whoever writes a copy says so.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How old a socket is before it may count as left behind: a new one may not listen yet.
const SETTLED: Duration = Duration::from_secs(60);
/// Bytes that the path of a socket may have on every Unix.
const MAX_SOCKET_PATH: usize = 100;

#[derive(Serialize, Deserialize)]
struct Request {
    /// Where the copy is to stand.
    snapshot: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    /// Why there is no copy; nothing: it is there.
    error: Option<String>,
}

/// Listens as long as the file is open for writing.
#[derive(Debug)]
pub(super) struct Host {
    socket: PathBuf,
    /// Which socket is ours, should another one stand there by then.
    inode: u64,
    /// Gone once the file is closed; locked while a copy is written.
    connection: Arc<Mutex<Option<Connection>>>,
    thread: Option<JoinHandle<()>>,
}

impl Host {
    /// Starts to listen for a file that this process holds.
    ///
    /// # Errors
    ///
    /// No folder for the socket, or no thread. The file can be used without.
    pub(super) fn start(file: &Path, connection: Connection) -> io::Result<Self> {
        let folder = runtime_folders().into_iter().find_map(|folder| made_private(&folder).ok());
        let folder = folder.ok_or_else(|| io::Error::other("there is no private folder for the socket"))?;
        let socket = folder.join(socket_name(file));
        if socket.as_os_str().len() > MAX_SOCKET_PATH {
            return Err(io::Error::other(format!(
                "the path of the socket is too long: {}",
                socket.display()
            )));
        }
        remove_left_behind(&folder, SETTLED);
        // Only the process that holds the file has its socket: what stands there was left by a dead one.
        match fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&socket)?;
        fs::set_permissions(&socket, Permissions::from_mode(0o600))?;
        let inode = fs::symlink_metadata(&socket)?.ino();
        let connection = Arc::new(Mutex::new(Some(connection)));
        let (file, shared) = (file.to_owned(), connection.clone());
        let serve = move || {
            for stream in listener.incoming().flatten() {
                match answer(stream, &file, &shared) {
                    Ok(Go::On) => {}
                    Ok(Go::Home) => break,
                    Err(error) => tracing::warn!(%error, "a request for a copy could not be answered"),
                }
            }
        };
        let thread = std::thread::Builder::new().name("database host".to_owned()).spawn(serve)?;
        Ok(Self { socket, inode, connection, thread: Some(thread) })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // A copy that is being written is finished first.
        drop(self.connection.lock().unwrap_or_else(PoisonError::into_inner).take());
        // A last visitor wakes the thread.
        let woken = UnixStream::connect(&self.socket).is_ok();
        if fs::symlink_metadata(&self.socket).is_ok_and(|found| found.ino() == self.inode) {
            let _ = fs::remove_file(&self.socket);
        }
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

/// Whether the thread waits for the next visitor.
enum Go {
    On,
    Home,
}

fn answer(mut stream: UnixStream, file: &Path, shared: &Mutex<Option<Connection>>) -> io::Result<Go> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = read_line::<Request>(&stream);
    let connection = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(connection) = connection.as_ref() else { return Ok(Go::Home) };
    let Some(request) = request? else { return Ok(Go::On) };
    let told = Mutex::new(None);
    let is_unwanted = || !is_heard(&stream, &told);
    let written = copy::write_copy(connection, file, &request.snapshot, &is_unwanted);
    let error = written.err().map(|error| match error {
        // Whoever asked says himself that there is no copy.
        PersistenceError::Snapshot { reason, .. } => reason,
        other => other.to_string(),
    });
    write_line(&mut stream, &Answer { error })?;
    Ok(Go::On)
}

/// Whether nobody waits for an answer any more.
fn is_gone(mut stream: &UnixStream) -> bool {
    let mut byte = [0];
    let looked = stream.set_nonblocking(true).and_then(|()| stream.read(&mut byte));
    let _ = stream.set_nonblocking(false);
    matches!(looked, Ok(0))
}

/// Tells whoever waits, now and then, that somebody works; whether there still is anybody.
fn is_heard(mut stream: &UnixStream, told: &Mutex<Option<Instant>>) -> bool {
    if is_gone(stream) {
        return false;
    }
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    if told.is_some_and(|told| told.elapsed() < SIGN_OF_LIFE) {
        return true;
    }
    *told = Some(Instant::now());
    stream.write_all(b"\n").is_ok()
}

/// Removes sockets of processes that were killed: nobody listens to them.
fn remove_left_behind(folder: &Path, settled: Duration) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "sock")) {
        let age = entry.metadata().and_then(|found| found.modified()).map(|made| made.elapsed());
        let is_settled = matches!(age, Ok(Ok(age)) if age >= settled);
        let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        if is_settled && UnixStream::connect(entry.path()).is_err_and(refused) {
            // Another process may have been faster.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// What came of asking for a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is there.
    Done,
    /// Nobody listens, or not to the end.
    Nobody,
    /// Somebody listens and says nothing.
    Silent,
}

/// Asks the process that holds a file to write a copy.
///
/// # Errors
///
/// Why the other process could not write it; [`PersistenceError::Cancelled`] if it became unwanted.
pub(super) fn ask_for_copy(
    file: &Path,
    out: &Path,
    is_unwanted: IsUnwanted<'_>,
) -> Result<Asked, PersistenceError> {
    let name = socket_name(file);
    let folders = runtime_folders().into_iter();
    let mut sockets = folders.filter(|folder| is_private(folder)).map(|folder| folder.join(&name));
    let Some(mut stream) = sockets.find_map(|socket| UnixStream::connect(socket).ok()) else {
        return Ok(Asked::Nobody);
    };
    let request = Request { snapshot: out.to_owned() };
    let asked = write_line(&mut stream, &request);
    let answer = asked.and_then(|()| wait_for_answer(&stream, is_unwanted));
    match answer {
        _ if is_unwanted() => Err(PersistenceError::Cancelled),
        Ok(Some(Answer { error: None })) => Ok(Asked::Done),
        Ok(Some(Answer { error: Some(reason) })) => {
            Err(PersistenceError::Snapshot { path: file.to_owned(), reason })
        }
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(Asked::Silent),
        Ok(None) | Err(_) => Ok(Asked::Nobody),
    }
}

/// The answer, behind any number of empty lines.
fn wait_for_answer(stream: &UnixStream, is_unwanted: IsUnwanted<'_>) -> io::Result<Option<Answer>> {
    stream.set_read_timeout(Some(LOOK))?;
    let mut reader = BufReader::new(stream.take(MAX_LINE));
    let (mut line, mut heard) = (String::new(), Instant::now());
    loop {
        match reader.read_line(&mut line) {
            Ok(0) => return Ok(None),
            Ok(_) if line.trim().is_empty() => {
                line.clear();
                reader.get_mut().set_limit(MAX_LINE);
                heard = Instant::now();
            }
            Ok(_) => return serde_json::from_str(&line).map(Some).map_err(io::Error::other),
            Err(error) if [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut].contains(&error.kind()) => {
                if is_unwanted() || heard.elapsed() > PATIENCE {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) => return Err(error),
        }
    }
}

fn read_line<T: for<'de> Deserialize<'de>>(stream: &UnixStream) -> io::Result<Option<T>> {
    let mut line = String::new();
    BufReader::new(stream.take(MAX_LINE)).read_line(&mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(&line).map(Some).map_err(io::Error::other)
}

fn write_line(stream: &mut UnixStream, message: &impl Serialize) -> io::Result<()> {
    let line = serde_json::to_string(message).map_err(io::Error::other)?;
    stream.write_all(line.as_bytes())?;
    stream.write_all(b"\n")
}

/// The name of a file's socket: the same for everybody who knows the file.
fn socket_name(file: &Path) -> String {
    let mut name = sha256_hex_of(file.as_os_str().as_bytes());
    name.truncate(32);
    name + ".sock"
}

/// Where sockets stand: in the user's runtime folder if there is one, else in one of our own.
fn runtime_folders() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let user = rustix::process::getuid().as_raw();
    let own = std::env::temp_dir().join(format!("payment-sim-{user}"));
    let runtime = runtime.filter(|path| path.is_absolute()).map(|path| path.join("payment-sim"));
    runtime.into_iter().chain([own]).collect()
}

/// Makes a folder that only this user may enter, unless it is there already.
fn made_private(folder: &Path) -> io::Result<PathBuf> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if is_private(folder) {
        Ok(folder.to_owned())
    } else {
        Err(io::Error::other(format!("others may enter folder `{}`", folder.display())))
    }
}

fn is_private(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|found| {
        found.is_dir() && found.uid() == rustix::process::getuid().as_raw() && found.mode() & 0o077 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_that_nobody_listens_to_are_removed() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        let heard = UnixListener::bind(path("heard.sock"))?;
        drop(UnixListener::bind(path("dead.sock"))?);
        fs::write(path("other"), "")?;
        remove_left_behind(folder.path(), SETTLED);
        assert!(path("dead.sock").exists(), "it may be about to listen");
        remove_left_behind(folder.path(), Duration::ZERO);
        assert!(!path("dead.sock").exists() && path("heard.sock").exists() && path("other").exists());
        drop(heard);
        Ok(())
    }
}
