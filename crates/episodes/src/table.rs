use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

/// What a parquet file of ours says wrote it. Not the version of the writing library: an upgrade must
/// not change the bytes of a table.
pub const CREATED_BY: &str = "vitrine";

/// The values of one column; every one is there.
pub(crate) enum Column {
    Float(Vec<f32>),
    Double(Vec<f64>),
    Int(Vec<i32>),
    Text(Vec<ByteArray>),
}

impl Column {
    pub(crate) fn text(values: impl IntoIterator<Item = String>) -> Self {
        Self::Text(values.into_iter().map(|value| value.into_bytes().into()).collect())
    }
}

/// A Parquet file of named columns, zstd, written a row group at a time.
pub(crate) struct Table<W: Write + Send>(SerializedFileWriter<W>);

impl<W: Write + Send> Table<W> {
    /// Begins a table. Of `columns` only the kinds count.
    pub(crate) fn create(out: W, columns: &[(String, Column)]) -> io::Result<Self> {
        let fields = columns.iter().map(|(name, column)| field(name, column).map(Arc::new));
        let fields = fields.collect::<Result<_, _>>().map_err(other)?;
        let schema = Type::group_type_builder("schema").with_fields(fields).build().map_err(other)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).map_err(other)?))
            .set_created_by(CREATED_BY.to_owned())
            .build();
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties));
        Ok(Self(writer.map_err(other)?))
    }

    /// Appends rows: the same columns, in the same order, all of one length.
    pub(crate) fn append(&mut self, columns: &[(String, Column)]) -> io::Result<()> {
        let mut append = || {
            let mut group = self.0.next_row_group()?;
            for (_, column) in columns {
                let Some(mut writer) = group.next_column()? else { break };
                match column {
                    Column::Float(values) => writer.typed::<FloatType>().write_batch(values, None, None),
                    Column::Double(values) => writer.typed::<DoubleType>().write_batch(values, None, None),
                    Column::Int(values) => writer.typed::<Int32Type>().write_batch(values, None, None),
                    Column::Text(values) => writer.typed::<ByteArrayType>().write_batch(values, None, None),
                }?;
                writer.close()?;
            }
            group.close().map(drop)
        };
        append().map_err(other)
    }

    /// Writes the footer. Without it the file is no table.
    pub(crate) fn finish(self) -> io::Result<W> {
        self.0.into_inner().map_err(other)
    }
}

fn field(name: &str, column: &Column) -> Result<Type, ParquetError> {
    let (physical, logical) = match column {
        Column::Float(_) => (Physical::FLOAT, None),
        Column::Double(_) => (Physical::DOUBLE, None),
        Column::Int(_) => (Physical::INT32, None),
        Column::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(logical)
        .build()
}

fn other(error: ParquetError) -> io::Error {
    io::Error::other(error)
}
