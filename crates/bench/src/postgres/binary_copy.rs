//! The binary format of COPY (PostgreSQL manual, COPY, "Binary Format"): nothing to escape, and half of the bytes.

use std::io::Write;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::failure::Failure;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Microseconds from 1970 to 2000, where PostgreSQL's times begin.
const EPOCH: i64 = 946_684_800_000_000;

/// Begins a file.
pub(crate) fn begin(out: &mut dyn Write) -> Result<(), Failure> {
    out.write_all(SIGNATURE)?;
    // No flags, and nothing more in the header.
    out.write_all(&[0; 8])?;
    Ok(())
}

/// Ends a file.
pub(crate) fn end(out: &mut dyn Write) -> Result<(), Failure> {
    Ok(out.write_all(&(-1_i16).to_be_bytes())?)
}

/// One row, column by column. A column that may be null takes an `Option`.
#[derive(Default)]
pub(crate) struct Row {
    columns: i16,
    bytes: Vec<u8>,
}

impl Row {
    /// A `uuid`.
    pub(crate) fn uuid(&mut self, value: Uuid) -> Result<&mut Self, Failure> {
        self.column(Some(value.as_bytes()))
    }

    /// A `text`.
    pub(crate) fn text<'a>(&mut self, value: impl Into<Option<&'a str>>) -> Result<&mut Self, Failure> {
        self.column(value.into().map(str::as_bytes))
    }

    /// A `bytea`.
    pub(crate) fn bytea<'a>(&mut self, value: impl Into<Option<&'a [u8]>>) -> Result<&mut Self, Failure> {
        self.column(value.into())
    }

    /// A `bigint`.
    pub(crate) fn bigint(&mut self, value: i64) -> Result<&mut Self, Failure> {
        self.column(Some(&value.to_be_bytes()))
    }

    /// A `boolean`.
    pub(crate) fn boolean(&mut self, value: bool) -> Result<&mut Self, Failure> {
        self.column(Some(&[value.into()]))
    }

    /// A `timestamptz`.
    pub(crate) fn time(&mut self, value: impl Into<Option<DateTime<Utc>>>) -> Result<&mut Self, Failure> {
        let micros = value.into().map(|time| (time.timestamp_micros() - EPOCH).to_be_bytes());
        self.column(micros.as_ref().map(<[u8; 8]>::as_slice))
    }

    /// A `json`.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<&mut Self, Failure> {
        self.column(Some(&serde_json::to_vec(value)?))
    }

    fn column(&mut self, value: Option<&[u8]>) -> Result<&mut Self, Failure> {
        self.columns += 1;
        match value {
            Some(bytes) => {
                self.bytes.extend_from_slice(&i32::try_from(bytes.len())?.to_be_bytes());
                self.bytes.extend_from_slice(bytes);
            }
            None => self.bytes.extend_from_slice(&(-1_i32).to_be_bytes()),
        }
        Ok(self)
    }

    /// Writes the row.
    pub(crate) fn write(&self, out: &mut dyn Write) -> Result<(), Failure> {
        out.write_all(&self.columns.to_be_bytes())?;
        Ok(out.write_all(&self.bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_laid_out_as_the_manual_says() {
        let mut row = Row::default();
        row.bigint(258).unwrap().text("hé").unwrap().text(None).unwrap().json(&[1]).unwrap();
        let mut file = Vec::new();
        begin(&mut file).unwrap();
        row.write(&mut file).unwrap();
        end(&mut file).unwrap();
        let expected: &[&[u8]] = &[
            b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0",
            b"\0\x04",
            b"\0\0\0\x08\0\0\0\0\0\0\x01\x02",
            b"\0\0\0\x03h\xc3\xa9",
            b"\xff\xff\xff\xff",
            b"\0\0\0\x03[1]",
            b"\xff\xff",
        ];
        assert_eq!(file, expected.concat());
    }

    #[test]
    fn a_boolean_is_a_byte() {
        let mut row = Row::default();
        row.boolean(true).unwrap().boolean(false).unwrap();
        assert_eq!(row.bytes, [0, 0, 0, 1, 1, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn times_are_counted_from_2000() {
        let mut row = Row::default();
        row.time(DateTime::from_timestamp_micros(EPOCH + 7)).unwrap();
        assert_eq!(row.bytes, [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7]);
    }
}
