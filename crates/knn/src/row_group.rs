use std::sync::Arc;

use episodes::CREATED_BY;
use parquet::{
    basic::{Compression, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, DataType},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};

use crate::dictionary::Dictionary;

/// The one row group of a file that is being encoded: its columns, in the order of the schema.
pub(crate) struct RowGroup<'w>(SerializedRowGroupWriter<'w, Vec<u8>>);

/// The bytes of a parquet file of one row group, zstd. Equal columns and notes give equal bytes.
pub(crate) fn encode(
    schema: &str,
    notes: Option<Vec<KeyValue>>,
    write: impl FnOnce(&mut RowGroup<'_>) -> Result<(), ParquetError>,
) -> Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_created_by(CREATED_BY.to_owned())
        .set_key_value_metadata(notes)
        .build();
    let schema = Arc::new(parse_message_type(schema)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    {
        let mut group = RowGroup(writer.next_row_group()?);
        write(&mut group)?;
        group.0.close()?;
    }
    writer.into_inner()
}

impl RowGroup<'_> {
    /// A column of one value a row.
    pub(crate) fn column<T: DataType>(&mut self, rows: &[T::T]) -> Result<(), ParquetError> {
        self.write::<T>(rows, None)
    }

    /// A column of lists, `each` values a row.
    pub(crate) fn lists<T: DataType>(&mut self, values: &[T::T], each: usize) -> Result<(), ParquetError> {
        let begins: Vec<i16> = (0..values.len()).map(|i| i16::from(!i.is_multiple_of(each))).collect();
        self.write::<T>(values, Some((&vec![1; values.len()], &begins)))
    }

    /// A column of strings.
    pub(crate) fn names(&mut self, names: &Dictionary) -> Result<(), ParquetError> {
        let distinct: Vec<ByteArray> = names.names().iter().map(|name| name.as_str().into()).collect();
        let rows: Vec<ByteArray> =
            names.codes().iter().map(|&code| distinct[code as usize].clone()).collect();
        self.column::<ByteArrayType>(&rows)
    }

    fn write<T: DataType>(
        &mut self,
        values: &[T::T],
        levels: Option<(&[i16], &[i16])>,
    ) -> Result<(), ParquetError> {
        let missing = || ParquetError::General("the schema has fewer columns than are written".to_owned());
        let mut column = self.0.next_column()?.ok_or_else(missing)?;
        let (definition, repetition) = levels.unzip();
        column.typed::<T>().write_batch(values, definition, repetition)?;
        column.close()
    }
}
