//! Copies of a whole lab from one database into another.

use domain::Sha256;

use crate::sql::{Result, Session, SessionExt as _, TABLES, Table, Value, WriteError, time_text};
use crate::{DatabaseError, Store, StoreError};

/// Rows that are in memory at once.
const ROWS_AT_ONCE: i64 = 5000;

/// A table that was copied and read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    /// Its name.
    pub table: &'static str,
    /// Number of its rows.
    pub rows: u64,
    /// Digest of all of its rows in both databases.
    pub sha256: Sha256,
}

/// Copies every row, with its key, into a database without any, in one transaction; then reads the copy and compares it with
/// what was read. Others may write to `from` meanwhile: the copy is of one moment.
///
/// # Errors
/// [`StoreError::NotEmpty`]; [`StoreError::CopyDiffers`], and then the copy is not to be used.
pub fn copy_store(from: &Store, to: &Store) -> std::result::Result<Vec<CopiedTable>, StoreError> {
    let (mut read, mut written) = (Vec::new(), Ok(()));
    from.snapshot("read the database to copy", |source| {
        written = to.write("write the copy", |target| {
            read.clear();
            for table in &TABLES {
                let sql = format!("SELECT EXISTS (SELECT 1 FROM {})", table.name);
                if target.query_one(&sql, &[], |row| row.get::<bool>(0))? {
                    return Err(StoreError::NotEmpty { database: to.database().clone() }.into());
                }
            }
            for table in &TABLES {
                read.push(copy_table(source, target, table)?);
                target.continue_numbers(table)?;
            }
            Ok::<_, WriteError>(())
        });
        Ok(())
    })?;
    written?;
    let copies = to.snapshot("read the copy", |session| {
        TABLES.iter().map(|table| read_table(session, table, |_| Ok(()))).collect::<Result<Vec<_>>>()
    })?;
    match read.iter().zip(&copies).find(|(read, copy)| read != copy) {
        Some((differs, _)) => Err(StoreError::CopyDiffers { table: differs.table }),
        None => Ok(read),
    }
}

fn copy_table(source: &dyn Session, target: &dyn Session, table: &Table) -> Result<CopiedTable> {
    let marks: Vec<String> = (1..=table.columns.len()).map(|number| format!("?{number}")).collect();
    let sql = format!("INSERT INTO {} ({}) VALUES ({})", table.name, table.columns.join(", "), marks.join(", "));
    read_table(source, table, |row| target.execute(&sql, row).map(drop))
}

/// Reads every row in the order of its key, and returns the number and digest of all.
fn read_table(
    session: &dyn Session,
    table: &Table,
    mut each: impl FnMut(&[Value]) -> Result<()>,
) -> Result<CopiedTable> {
    let (name, key) = (table.name, table.key);
    let columns = table.columns.join(", ");
    let sql = format!("SELECT {columns} FROM {name} WHERE {key} > ?1 ORDER BY {key} LIMIT {ROWS_AT_ONCE}");
    let (mut last, mut rows, mut sha256) = (table.before_all(), 0, Sha256::from([0; 32]));
    loop {
        let part = session.query_all(&sql, &[last.clone()], |row| {
            (0..table.columns.len()).map(|place| row.get(place)).collect::<Result<Vec<Value>>>()
        })?;
        let Some(end) = part.last().and_then(|row| row.first()) else { break };
        last = end.clone();
        rows += part.len() as u64;
        sha256 = digest(sha256, &part)?;
        part.iter().try_for_each(|row| each(row))?;
    }
    Ok(CopiedTable { table: name, rows, sha256 })
}

/// Returns the digest of rows that follow others.
fn digest(before: Sha256, rows: &[Vec<Value>]) -> Result<Sha256> {
    let mut bytes = before.as_bytes().to_vec();
    for value in rows.iter().flatten() {
        let (kind, content) = match value {
            Value::Null => (b'n', Vec::new()),
            // What SQLite keeps as a number and as text.
            Value::Boolean(value) => (b'i', i64::from(*value).to_le_bytes().to_vec()),
            Value::Time(time) => (b't', time_text(*time).into_bytes()),
            Value::Integer(value) => (b'i', value.to_le_bytes().to_vec()),
            Value::Real(value) => (b'r', value.to_bits().to_le_bytes().to_vec()),
            Value::Text(text) => (b't', text.clone().into_bytes()),
            Value::Blob(blob) => (b'b', blob.clone()),
        };
        bytes.push(kind);
        bytes.extend((content.len() as u64).to_le_bytes());
        bytes.extend(content);
    }
    files::sha256_of(bytes.as_slice())
        .map_err(|error| DatabaseError::Unreadable { column: "rows".to_owned(), problem: error.to_string() })
}
