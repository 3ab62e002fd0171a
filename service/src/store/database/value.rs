//! Values: those of a statement's parameters, and those of the rows that it finds. They are text, integers, or null.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::store::{Result, StoreError};

/// A parameter's or a column's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Value<'v> {
    Null,
    Integer(i64),
    Text(Cow<'v, str>),
}

/// What a statement found.
#[derive(Debug)]
pub(in crate::store) enum Row {
    Sqlite { columns: Arc<[String]>, values: Vec<Value<'static>> },
    Postgres(tokio_postgres::Row),
}

/// What a column can be read as.
pub(in crate::store) trait Column<'r>: Sized {
    /// `None` where the value is of another kind.
    fn read(value: Value<'r>) -> Option<Self>;
}

impl Row {
    /// The value of a column.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unreadable`] where there is no such column, or it is of another kind.
    pub(in crate::store) fn get<'r, T: Column<'r>>(&'r self, column: &'static str) -> Result<T> {
        let value = match self {
            Self::Sqlite { columns, values } => {
                let index = columns.iter().position(|name| name == column);
                index.and_then(|index| values.get(index)).map(Value::borrowed)
            }
            Self::Postgres(row) => row.try_get(column).ok(),
        };
        value.and_then(T::read).ok_or(StoreError::Unreadable(column))
    }
}

impl Row {
    /// All values, by the names of their columns.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unreadable`] where a column is neither text nor an integer.
    pub(in crate::store) fn cells(&self) -> Result<BTreeMap<String, Value<'static>>> {
        let values = match self {
            Self::Sqlite { columns, values } => columns.iter().cloned().zip(values.iter().cloned()).collect(),
            Self::Postgres(row) => {
                let cell = |(index, column): (usize, &tokio_postgres::Column)| {
                    let value =
                        row.try_get::<_, Value<'_>>(index).map_err(|_| StoreError::Unreadable("a column"))?;
                    Ok((column.name().to_owned(), value.into_owned()))
                };
                row.columns().iter().enumerate().map(cell).collect::<Result<_>>()?
            }
        };
        Ok(values)
    }
}

impl Value<'_> {
    fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
        }
    }

    pub(super) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(number),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
        }
    }
}

impl<'r> Column<'r> for &'r str {
    fn read(value: Value<'r>) -> Option<Self> {
        match value {
            Value::Text(Cow::Borrowed(text)) => Some(text),
            _ => None,
        }
    }
}

impl<'r> Column<'r> for String {
    fn read(value: Value<'r>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }
}

impl<'r> Column<'r> for i64 {
    fn read(value: Value<'r>) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(number),
            _ => None,
        }
    }
}

impl<'r, T: Column<'r>> Column<'r> for Option<T> {
    fn read(value: Value<'r>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::read(value).map(Some),
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(text: &'v String) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::Null => rusqlite::ToSql::to_sql(&rusqlite::types::Null),
            Self::Integer(number) => rusqlite::ToSql::to_sql(number),
            Self::Text(text) => rusqlite::ToSql::to_sql(text),
        }
    }
}

impl rusqlite::types::FromSql for Value<'static> {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        Ok(match value {
            rusqlite::types::ValueRef::Null => Self::Null,
            rusqlite::types::ValueRef::Integer(number) => Self::Integer(number),
            value => Self::Text(Cow::Owned(value.as_str()?.to_owned())),
        })
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) => number.to_sql_checked(kind, out),
            Self::Text(text) => text.to_sql_checked(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'v> FromSql<'v> for Value<'v> {
    fn from_sql(kind: &Type, raw: &'v [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        if <i64 as FromSql>::accepts(kind) {
            Ok(Self::Integer(i64::from_sql(kind, raw)?))
        } else {
            Ok(Self::Text(Cow::Borrowed(<&str>::from_sql(kind, raw)?)))
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(kind: &Type) -> bool {
        <i64 as FromSql>::accepts(kind) || <&str as FromSql>::accepts(kind)
    }
}
