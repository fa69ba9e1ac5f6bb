//! Columns of a parquet file, by name, with errors that name the file and the column.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use events::Name;
use parquet::{
    basic::Type,
    column::reader::ColumnReaderImpl,
    data_type::{BoolType, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{metadata::ParquetMetaData, reader::FileReader, serialized_reader::SerializedFileReader},
};

use crate::{
    dictionary::{Dictionary, Growing},
    origin::Origin,
    pages::CheckedPages,
    positioned::Positioned,
};

/// Values decoded at a time.
const BATCH: usize = 16 * 1024;
/// Rows that memory is set aside for, at most, before there is a value: a damaged file may claim any number.
const RESERVED: usize = 1 << 22;

/// Why a parquet file, or one of its columns, could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ColumnError {
    /// It could not be opened or read.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It is not a parquet file, or not a whole one.
    #[error("{}: not a whole parquet file ({cause})", path.display())]
    NotParquet {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        cause: ParquetError,
    },
    /// It has no rows.
    #[error("{}: the table is empty (0 rows)", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It has no such column.
    #[error("{}: column `{column}` is missing", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// The column holds something else.
    #[error("{}: column `{column}`: expected {expected}, found {found}", path.display())]
    WrongType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What it should hold.
        expected: &'static str,
        /// What it holds.
        found: String,
    },
    /// A value is not what it should be.
    #[error("{}: column `{column}`, row {row}: expected {expected}, found {found}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// From 0.
        row: usize,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// The bytes of the column are damaged, or compressed in a way this build cannot read.
    #[error("{}: column `{column}` cannot be decoded ({cause})", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What the reader said.
        cause: ParquetError,
    },
}

/// An open parquet file. Its columns may be read from several threads at once.
pub(crate) struct Columns {
    path: PathBuf,
    file: Positioned,
    reader: SerializedFileReader<Positioned>,
    rows: usize,
}

/// A flat column that was found.
#[derive(Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    index: usize,
    physical: Type,
    flat: bool,
}

impl Columns {
    /// Opens a file with at least one row.
    pub(crate) fn open(path: &Path) -> Result<Self, ColumnError> {
        let opened = File::open(path).and_then(Positioned::new);
        let file = opened.map_err(|cause| ColumnError::File { path: path.to_owned(), cause })?;
        let reader = SerializedFileReader::new(file.clone()).and_then(|reader| {
            check_ranges(reader.metadata())?;
            Ok(reader)
        });
        let reader = reader.map_err(|cause| ColumnError::NotParquet { path: path.to_owned(), cause })?;
        let rows = usize::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0);
        if rows == 0 {
            return Err(ColumnError::Empty { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), file, reader, rows })
    }

    /// All bytes of the file that the columns are of: by now, another may have its name.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, ColumnError> {
        self.file.bytes().map_err(|cause| ColumnError::File { path: self.path.clone(), cause })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// A value of the file's own key-value metadata.
    pub(crate) fn note(&self, key: &str) -> Option<String> {
        let notes = self.reader.metadata().file_metadata().key_value_metadata()?;
        notes.iter().find(|note| note.key == key)?.value.clone()
    }

    /// The column of this name, if there is one.
    pub(crate) fn find(&self, name: &str) -> Option<Column> {
        let columns = self.reader.metadata().file_metadata().schema_descr().columns();
        let index = columns.iter().position(|column| column.path().string() == name)?;
        let flat = columns[index].max_rep_level() == 0;
        Some(Column { name: name.to_owned(), index, physical: columns[index].physical_type(), flat })
    }

    /// The column of this name, or that it is missing.
    pub(crate) fn get(&self, name: &str) -> Result<Column, ColumnError> {
        self.find(name)
            .ok_or_else(|| ColumnError::Missing { path: self.path.clone(), column: name.to_owned() })
    }

    /// float32 or float64 as float32, instead of what `values` held; null is NaN; no infinity.
    pub(crate) fn floats(&self, column: &Column, values: &mut Vec<f32>) -> Result<(), ColumnError> {
        values.clear();
        values.reserve_exact(self.rows.min(RESERVED));
        match column.physical {
            Type::FLOAT => self.batches::<FloatType>(column, |batch| {
                match batch.without_nulls() {
                    Some(present) => values.extend_from_slice(present),
                    None => values.extend(batch.iter().map(|value| value.copied().unwrap_or(f32::NAN))),
                }
                Ok(())
            }),
            Type::DOUBLE => self.batches::<DoubleType>(column, |batch| {
                values.extend(batch.iter().map(|value| value.map_or(f32::NAN, |&value| value as f32)));
                Ok(())
            }),
            _ => Err(self.wrong_type(column, FLOAT)),
        }?;
        match values.iter().position(|value| value.is_infinite()) {
            Some(row) => Err(self.value(column, row, "a finite float32 or NaN", values[row].to_string())),
            None => Ok(()),
        }
    }

    /// Integers of any width, each made into a `T`; no nulls.
    pub(crate) fn integers<T>(
        &self,
        column: &Column,
        expected: &'static str,
        make: impl Fn(i64) -> Option<T>,
    ) -> Result<Vec<T>, ColumnError> {
        let made = |value: Option<i64>, row| {
            value.and_then(&make).ok_or_else(|| self.value(column, row, expected, shown(value)))
        };
        match column.physical {
            Type::INT32 => {
                self.values::<Int32Type, T>(column, |value, row| made(value.map(|&value| value.into()), row))
            }
            Type::INT64 => self.values::<Int64Type, T>(column, |value, row| made(value.copied(), row)),
            _ => Err(self.wrong_type(column, "an integer")),
        }
    }

    /// UTF-8 strings; no nulls.
    pub(crate) fn strings(&self, column: &Column) -> Result<Dictionary, ColumnError> {
        let expected = "UTF-8 text";
        if column.physical != Type::BYTE_ARRAY {
            return Err(self.wrong_type(column, "strings"));
        }
        let mut growing = Growing::default();
        let mut row = 0;
        self.batches::<ByteArrayType>(column, |batch| {
            for value in batch.iter() {
                let value = value.ok_or_else(|| self.value(column, row, expected, shown(None::<i64>)))?;
                let text = value.as_utf8();
                growing.push(text.map_err(|_| self.value(column, row, expected, "other bytes".to_owned()))?);
                row += 1;
            }
            Ok(())
        })?;
        Ok(growing.finish())
    }

    /// The columns `episode_id`, `host_id`, `profile` and, where there is one, `window_idx`.
    pub(crate) fn origin(&self) -> Result<Origin, ColumnError> {
        let number = |value| u32::try_from(value).ok();
        let window_idx = || {
            let column = self.find("window_idx");
            column.map(|column| self.integers(&column, "a window number from 0", number)).transpose()
        };
        let ((episodes, hosts), (profiles, window_idx)) = rayon::join(
            || rayon::join(|| self.names("episode_id"), || self.names("host_id")),
            || rayon::join(|| self.names("profile"), window_idx),
        );
        Ok(Origin { episodes: episodes?, hosts: hosts?, profiles: profiles?, window_idx: window_idx? })
    }

    /// Strings that an event has room for.
    fn names(&self, name: &str) -> Result<Dictionary, ColumnError> {
        let column = self.get(name)?;
        let names = self.strings(&column)?;
        for row in names.first_rows() {
            let name = names.name(row);
            if Name::new(name).is_err() {
                let found = format!("{} bytes", name.len());
                return Err(self.value(&column, row, "a name of 1 to 256 bytes", found));
            }
        }
        Ok(names)
    }

    /// Booleans; no nulls.
    pub(crate) fn booleans(&self, column: &Column) -> Result<Vec<bool>, ColumnError> {
        if column.physical != Type::BOOLEAN {
            return Err(self.wrong_type(column, "a boolean"));
        }
        self.values::<BoolType, bool>(column, |value, row| {
            value.copied().ok_or_else(|| self.value(column, row, "true or false", shown(None::<i64>)))
        })
    }

    /// That a value of the column is wrong.
    pub(crate) fn value(
        &self,
        column: &Column,
        row: usize,
        expected: &'static str,
        found: String,
    ) -> ColumnError {
        ColumnError::Value { path: self.path.clone(), column: column.name.clone(), row, expected, found }
    }

    fn wrong_type(&self, column: &Column, expected: &'static str) -> ColumnError {
        let found = if column.flat { column.physical.to_string() } else { "lists".to_owned() };
        ColumnError::WrongType { path: self.path.clone(), column: column.name.clone(), expected, found }
    }

    /// Decodes a whole column; `make` gets `None` for a null.
    fn values<T: DataType, V>(
        &self,
        column: &Column,
        make: impl Fn(Option<&T::T>, usize) -> Result<V, ColumnError>,
    ) -> Result<Vec<V>, ColumnError> {
        let mut all = Vec::with_capacity(self.rows.min(RESERVED));
        self.batches::<T>(column, |batch| {
            for value in batch.iter() {
                all.push(make(value, all.len())?);
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// Decodes a whole column, row group after row group, batch after batch.
    fn batches<T: DataType>(
        &self,
        column: &Column,
        mut take: impl FnMut(&Batch<'_, T::T>) -> Result<(), ColumnError>,
    ) -> Result<(), ColumnError> {
        if !column.flat {
            return Err(self.wrong_type(column, "one value a row"));
        }
        let decode =
            |cause| ColumnError::Decode { path: self.path.clone(), column: column.name.clone(), cause };
        let descriptor = self.reader.metadata().file_metadata().schema_descr().column(column.index);
        let present = descriptor.max_def_level();
        let mut rows = 0;
        let (mut values, mut levels) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        for group in 0..self.reader.num_row_groups() {
            let group = self.reader.get_row_group(group).map_err(decode)?;
            let pages = group.get_column_page_reader(column.index).map_err(decode)?;
            let pages = Box::new(CheckedPages::new(pages));
            let mut reader = ColumnReaderImpl::<T>::new(descriptor.clone(), pages);
            loop {
                values.clear();
                levels.clear();
                let (records, _, _) =
                    reader.read_records(BATCH, Some(&mut levels), None, &mut values).map_err(decode)?;
                if records == 0 {
                    break;
                }
                rows += records;
                take(&Batch { records, values: &values, levels: &levels, present })?;
            }
        }
        if rows == self.rows {
            Ok(())
        } else {
            let said = format!("{rows} rows, where the file says {}", self.rows);
            Err(decode(ParquetError::General(said)))
        }
    }
}

/// Some records of a column.
struct Batch<'b, T> {
    records: usize,
    /// Of the records that are no nulls.
    values: &'b [T],
    /// Of every record, unless there can be no nulls.
    levels: &'b [i16],
    /// The level of a record that is no null.
    present: i16,
}

impl<'b, T> Batch<'b, T> {
    fn iter(&self) -> impl Iterator<Item = Option<&'b T>> {
        let mut values = self.values.iter();
        (0..self.records).map(move |record| {
            let is_null = self.levels.get(record).is_some_and(|&level| level < self.present);
            if is_null { None } else { values.next() }
        })
    }

    fn without_nulls(&self) -> Option<&'b [T]> {
        (self.values.len() == self.records).then_some(self.values)
    }
}

/// Refuses column chunks that begin, or are, below nothing: the reader takes that for impossible.
fn check_ranges(metadata: &ParquetMetaData) -> Result<(), ParquetError> {
    let chunks = metadata.row_groups().iter().flat_map(|group| group.columns());
    for chunk in chunks {
        let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
        if start < 0 || chunk.compressed_size() < 0 {
            let said = format!("column {}: negative offset or size", chunk.column_path());
            return Err(ParquetError::General(said));
        }
    }
    Ok(())
}

const FLOAT: &str = "float32 or float64";

fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}
