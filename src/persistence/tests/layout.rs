use crate::persistence::{Access, Database, schema};

#[test]
fn a_new_file_has_the_layout_with_all_comments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.duckdb");
    let database = Database::open(&path, Access::Write).unwrap();
    let reader = database.reader().unwrap();
    for (owner, columns) in schema::TABLES
        .iter()
        .map(|table| (table.name, table.columns))
        .chain(schema::VIEWS.iter().map(|view| (view.name, view.columns)))
    {
        let found: Vec<(String, String, Option<String>)> = reader
            .list(
                "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE table_name = ? \
                 ORDER BY column_index",
                [owner],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .unwrap();
        let expected: Vec<(String, String, Option<String>)> = columns
            .iter()
            .map(|column| {
                (column.name.to_owned(), column.kind.sql().to_owned(), Some(column.help.to_owned()))
            })
            .collect();
        assert_eq!(found, expected, "{owner}");
        reader.list(&format!("SELECT * FROM {owner}"), [], |_| Ok(())).unwrap();
    }
    drop((reader, database));
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size < 200_000, "an empty file takes {size} bytes");
}
