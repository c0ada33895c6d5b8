//! Copies for other processes (spec 06, 7.7): whoever holds a file for writing writes a copy of it when
//! another process of the same user asks over a local socket.
//!
//! The socket stands in a runtime folder that only its user may enter, under a name that follows from the
//! file's path. One line of JSON goes each way.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use duckdb::Connection;
use serde::{Deserialize, Serialize};

use super::{PersistenceError, copy};
use crate::event::sha256_hex_of;

/// Bytes that a request or an answer has at most.
const MAX_LINE: u64 = 1 << 16;
/// How long the other side may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);
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
    let written = copy::write_copy(connection, file, &request.snapshot, || is_gone(&stream));
    write_line(&mut stream, &Answer { error: written.err().map(|error| error.to_string()) })?;
    Ok(Go::On)
}

/// Whether nobody waits for an answer any more.
fn is_gone(stream: &UnixStream) -> bool {
    let mut byte = [0];
    let looked = stream.set_nonblocking(true).and_then(|()| (&mut &*stream).read(&mut byte));
    let _ = stream.set_nonblocking(false);
    matches!(looked, Ok(0))
}

/// Asks the process that holds a file to write a copy; nothing if nobody listens, or not to the end.
///
/// # Errors
///
/// Why the other process could not write it.
pub(super) fn ask_for_copy(file: &Path, out: &Path) -> Result<Option<()>, PersistenceError> {
    let name = socket_name(file);
    let folders = runtime_folders().into_iter();
    let mut sockets = folders.filter(|folder| is_private(folder)).map(|folder| folder.join(&name));
    let Some(mut stream) = sockets.find_map(|socket| UnixStream::connect(socket).ok()) else {
        return Ok(None);
    };
    let request = Request { snapshot: out.to_owned() };
    let answer = write_line(&mut stream, &request).and_then(|()| read_line::<Answer>(&stream));
    match answer {
        Ok(Some(Answer { error: None })) => Ok(Some(())),
        Ok(Some(Answer { error: Some(reason) })) => {
            Err(PersistenceError::Snapshot { path: file.to_owned(), reason })
        }
        Ok(None) | Err(_) => Ok(None),
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
