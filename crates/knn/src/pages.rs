use parquet::{
    basic::Encoding,
    column::page::{Page, PageMetadata, PageReader},
    errors::{ParquetError, Result},
};

/// Pages in an order that can be decoded: the reader behind them takes a page that refers to a
/// dictionary, without one before it, for impossible; in a damaged file it is not.
pub(crate) struct CheckedPages {
    pages: Box<dyn PageReader>,
    dictionary: bool,
}

impl CheckedPages {
    pub(crate) fn new(pages: Box<dyn PageReader>) -> Self {
        Self { pages, dictionary: false }
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        match &page {
            Some(Page::DictionaryPage { .. }) => self.dictionary = true,
            Some(page) => {
                let refers = matches!(page.encoding(), Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
                if refers && !self.dictionary {
                    return Err(ParquetError::General("a page lacks its dictionary".to_owned()));
                }
            }
            None => {}
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }
}

impl Iterator for CheckedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}
