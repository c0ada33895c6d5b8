//! The user's editor on a file, in the terminal that the explorer has given back meanwhile.

use std::env;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};

/// Runs `$VISUAL`, else `$EDITOR`, else `vi`, and waits for its end.
///
/// # Errors
///
/// It cannot be started, or says by its status that it failed.
pub fn edit(path: &Path) -> Result<(), String> {
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(|name| env::var(name).ok());
    let editor = named.into_iter().find(|value| !value.trim().is_empty()).unwrap_or_else(|| "vi".to_owned());
    let failed = |why: String| format!("the editor `{editor}` {why}; it is set by VISUAL or EDITOR");
    // The value may hold options; so the shell reads it, as it does for other programs.
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{editor} \"$@\"")).arg(&editor).arg(path);
    let child = command.spawn().map_err(|error| failed(format!("does not start: {error}")))?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    loop {
        let waited = waitpid(pid, WaitOptions::UNTRACED).map_err(|error| failed(error.to_string()))?;
        let Some((_, status)) = waited else { continue };
        if status.stopped() {
            // Ctrl+Z in the editor suspends the whole; `fg` wakes both.
            let _ = kill_process(getpid(), Signal::STOP);
            continue;
        }
        return match status.exit_status() {
            Some(0) => Ok(()),
            Some(code) => Err(failed(format!("ended with status {code}"))),
            None => Err(failed("was killed".to_owned())),
        };
    }
}
