//! The password of a server's database, from where PostgreSQL's own programs take it.

use std::process::Command;

use store::DatabaseLocation;

/// Adds the password of `PGPASSWORD`, else of the password file, to an address that has none.
#[cfg(feature = "postgres")]
pub fn complete(database: DatabaseLocation) -> DatabaseLocation {
    match database {
        DatabaseLocation::Postgres(address) if address.password().is_none() => {
            let found = std::env::var("PGPASSWORD").ok().or_else(|| from_file(&address.parts()));
            DatabaseLocation::Postgres(found.map_or(address.clone(), |password| address.with_password(&password)))
        }
        other => other,
    }
}

/// Gives the password to another program of ours.
#[cfg(feature = "postgres")]
pub fn pass_on(database: &DatabaseLocation, command: &mut Command) {
    if let DatabaseLocation::Postgres(address) = database
        && let Some(password) = address.password()
    {
        command.env("PGPASSWORD", String::from_utf8_lossy(password).as_ref());
    }
}

/// Returns the database as it is: a file has no password.
#[cfg(not(feature = "postgres"))]
pub fn complete(database: DatabaseLocation) -> DatabaseLocation {
    database
}

/// Does nothing: a file has no password.
#[cfg(not(feature = "postgres"))]
pub fn pass_on(_database: &DatabaseLocation, _command: &mut Command) {}

/// Reads the password of host, port, database and user from `PGPASSFILE`, else `~/.pgpass`.
#[cfg(feature = "postgres")]
fn from_file(parts: &[String; 4]) -> Option<String> {
    let path = match std::env::var_os("PGPASSFILE") {
        Some(path) => path.into(),
        None => std::env::home_dir()?.join(".pgpass"),
    };
    let text = std::fs::read_to_string(&path).ok()?;
    if is_open_to_others(&path) {
        tracing::warn!("the password file is not used: others than its owner can read it");
        return None;
    }
    password_for(&text, parts)
}

#[cfg(all(feature = "postgres", unix))]
fn is_open_to_others(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(all(feature = "postgres", not(unix)))]
fn is_open_to_others(_path: &std::path::Path) -> bool {
    false
}

/// Returns the password of the first line `host:port:database:user:password` that fits; `*` fits everything, and a backslash
/// goes before a colon or backslash of a name.
#[cfg(feature = "postgres")]
fn password_for(text: &str, parts: &[String; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = vec![String::new()];
        let mut letters = line.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => fields.last_mut()?.extend(letters.next()),
                ':' if fields.len() <= parts.len() => fields.push(String::new()),
                letter => fields.last_mut()?.push(letter),
            }
        }
        let password = fields.pop()?;
        let fits = |(field, part): (&String, &String)| field == "*" || field == part;
        (fields.len() == parts.len() && fields.iter().zip(parts).all(fits)).then_some(password)
    })
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_gives_the_password() {
        let text = "# a comment\ndb:5432:other:kim:no\ndb:5432:echo:kim:a\\:b\\\\c:d\n*:*:*:*:last";
        let parts = |host: &str| [host, "5432", "echo", "kim"].map(str::to_owned);
        assert_eq!(password_for(text, &parts("db")).as_deref(), Some("a:b\\c:d"));
        assert_eq!(password_for(text, &parts("elsewhere")).as_deref(), Some("last"));
        assert_eq!(password_for("db:5432:echo:kim", &parts("db")), None);
    }
}
