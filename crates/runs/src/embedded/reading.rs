use redb::{ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable};

use super::file::{BLOCKS, Block, FRESH, File, Key, PACKS, Place, SERIES, SLICE, Slice, Value};
use super::pack::{self, Column};
use crate::{Point, Pyramid, StoreError};

/// What the file holds at one moment.
pub(super) struct Reading<'a> {
    file: &'a File,
    blocks: ReadOnlyTable<Key, Value>,
    packs: ReadOnlyTable<Slice, &'static [u8]>,
    transaction: ReadTransaction,
}

impl File {
    /// Everything as it is now, for as long as it is held.
    pub(super) fn reading(&self) -> Result<Reading<'_>, StoreError> {
        let (blocks, packs, transaction) = self.with(|database| {
            let transaction = database.begin_read()?;
            Ok((transaction.open_table(BLOCKS)?, transaction.open_table(PACKS)?, transaction))
        })?;
        Ok(Reading { file: self, blocks, packs, transaction })
    }
}

impl Reading<'_> {
    /// All series.
    pub(super) fn series(&self) -> Result<Vec<(u32, [String; 3])>, StoreError> {
        let read = || -> Result<_, redb::Error> {
            let table = self.transaction.open_table(SERIES)?;
            let mut series = Vec::new();
            for entry in table.iter()? {
                let (number, names) = entry?;
                let (run, metric, unit) = names.value();
                series.push((number.value(), [run, metric, unit].map(str::to_owned)));
            }
            Ok(series)
        };
        read().map_err(|error| self.file.wrong(error))
    }

    /// Hands over the points that are in no block, by the number of their write.
    pub(super) fn fresh(
        &self,
        mut take: impl FnMut(u64, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let wrong = |error: redb::Error| self.file.wrong(error);
        let table = self.transaction.open_table(FRESH).map_err(|error| wrong(error.into()))?;
        for entry in table.iter().map_err(|error| wrong(error.into()))? {
            let (number, points) = entry.map_err(|error| wrong(error.into()))?;
            take(number.value(), points.value())?;
        }
        Ok(())
    }

    /// Hands over all blocks.
    pub(super) fn all_blocks(&self, mut take: impl FnMut(Block)) -> Result<(), StoreError> {
        let mut read = || -> Result<(), redb::Error> {
            for entry in self.blocks.iter()? {
                let (key, value) = entry?;
                take(Block::of(key.value(), value.value()));
            }
            Ok(())
        };
        read().map_err(|error| self.file.wrong(error))
    }

    /// The blocks of a series that begin at a step up to this one.
    pub(super) fn blocks(&self, series: u32, to_step: u64) -> Result<Vec<Block>, StoreError> {
        let read = || -> Result<Vec<Block>, redb::Error> {
            let mut blocks = Vec::new();
            for entry in self.blocks.range((series, 0, 0)..=(series, to_step, u64::MAX))? {
                let (key, value) = entry?;
                blocks.push(Block::of(key.value(), value.value()));
            }
            Ok(blocks)
        };
        read().map_err(|error| self.file.wrong(error))
    }

    /// The points of a block.
    pub(super) fn points(&self, block: &Block) -> Result<Vec<Point>, StoreError> {
        self.at(&block.place)
    }

    /// What is drawn of a block, if it is long enough.
    pub(super) fn summary(&self, block: &Block) -> Result<Option<Pyramid>, StoreError> {
        let Some(place) = &block.summary else { return Ok(None) };
        Ok(Some(pack::pyramid(self.at(place)?)))
    }

    fn at(&self, Place { pack: number, columns }: &Place) -> Result<Vec<Point>, StoreError> {
        let [steps, times, values] = [columns.steps, columns.times, columns.values];
        let columns =
            [self.column(*number, steps)?, self.column(*number, times)?, self.column(*number, values)?];
        pack::points(columns.each_ref().map(|column| &column[..]))
            .map_err(|error| self.file.foreign(format!("pack {number}: {error}")))
    }

    /// The bytes of a column.
    fn column(&self, pack: u64, (offset, length): Column) -> Result<Vec<u8>, StoreError> {
        let (offset, length) = (offset as usize, length as usize);
        let (first, last) = (offset / SLICE, (offset + length).saturating_sub(1) / SLICE);
        let read = || -> Result<Vec<u8>, redb::Error> {
            let mut bytes = Vec::new();
            for (number, entry) in
                (first as u32..).zip(self.packs.range((pack, first as u32)..=(pack, last as u32))?)
            {
                let (key, slice) = entry?;
                if key.value() != (pack, number) {
                    break;
                }
                bytes.extend_from_slice(slice.value());
            }
            Ok(bytes)
        };
        let mut bytes = read().map_err(|error| self.file.wrong(error))?;
        let start = offset % SLICE;
        if bytes.len() < start + length {
            return Err(self.file.foreign(format!("pack {pack} ends too early, or a part of it is missing")));
        }
        bytes.truncate(start + length);
        bytes.drain(..start);
        Ok(bytes)
    }
}
