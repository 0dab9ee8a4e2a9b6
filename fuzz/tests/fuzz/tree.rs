//! A message as a tree that can be changed anywhere and written again.

use prost::encoding::{
    DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field,
};

use crate::schema::{ANY, Kind, SCHEMA};

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Its type; empty if that is not known.
    pub(crate) message: String,
    /// Its fields as they come.
    pub(crate) fields: Vec<(u32, Value)>,
}

/// What a field holds.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(Vec<u8>),
    Message(Node),
}

impl Node {
    pub(crate) fn new(message: &str) -> Self {
        Self {
            message: message.to_owned(),
            fields: Vec::new(),
        }
    }

    /// Reads the bytes of a message of that type. `None` if they are of no message at all.
    pub(crate) fn read(message: &str, mut bytes: &[u8]) -> Option<Self> {
        let mut node = Self::new(message);
        while !bytes.is_empty() {
            let (number, wire) = decode_key(&mut bytes).ok()?;
            let value = match wire {
                WireType::Varint => Value::Varint(decode_varint(&mut bytes).ok()?),
                WireType::SixtyFourBit => Value::Fixed64(u64::from_le_bytes(take(&mut bytes)?)),
                WireType::ThirtyTwoBit => Value::Fixed32(u32::from_le_bytes(take(&mut bytes)?)),
                WireType::LengthDelimited => {
                    let len = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
                    let (front, rest) = bytes.split_at_checked(len)?;
                    bytes = rest;
                    node.inner(number, front)
                }
                _ => {
                    skip_field(wire, number, &mut bytes, DecodeContext::default()).ok()?;
                    continue;
                }
            };
            node.fields.push((number, value));
        }
        Some(node)
    }

    /// A length-delimited field: a message where the schema says so, of the type of the URL in an
    /// `Any`.
    fn inner(&self, number: u32, bytes: &[u8]) -> Value {
        let field = SCHEMA.field(&self.message, number);
        let message = match field.map(|field| &field.kind) {
            Some(Kind::Message(message)) => Some(message.as_str()),
            Some(Kind::Bytes) if self.message == ANY => {
                self.url().and_then(|url| SCHEMA.of_url(url))
            }
            _ => None,
        };
        let node = message.and_then(|message| Self::read(message, bytes));
        node.map_or_else(|| Value::Bytes(bytes.to_vec()), Value::Message)
    }

    fn url(&self) -> Option<&str> {
        self.fields.iter().find_map(|field| match field {
            (1, Value::Bytes(url)) => str::from_utf8(url).ok(),
            _ => None,
        })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, value) in &self.fields {
            value.write(*number, &mut bytes);
        }
        bytes
    }

    /// How many messages it is, with itself.
    pub(crate) fn len(&self) -> usize {
        1 + self.children().map(Self::len).sum::<usize>()
    }

    fn children(&self) -> impl Iterator<Item = &Self> {
        self.fields.iter().filter_map(|(_, value)| match value {
            Value::Message(node) => Some(node),
            _ => None,
        })
    }

    /// The message of that number, itself being 0, parents before children.
    pub(crate) fn at(&mut self, mut index: usize) -> &mut Self {
        if index == 0 {
            return self;
        }
        index -= 1;
        let nodes = self.fields.iter_mut().filter_map(|(_, value)| match value {
            Value::Message(node) => Some(node),
            _ => None,
        });
        for node in nodes {
            let len = node.len();
            if index < len {
                return node.at(index);
            }
            index -= len;
        }
        panic!("there are not so many");
    }
}

impl Value {
    fn write(&self, number: u32, into: &mut Vec<u8>) {
        match self {
            Self::Varint(value) => {
                encode_key(number, WireType::Varint, into);
                encode_varint(*value, into);
            }
            Self::Fixed64(value) => {
                encode_key(number, WireType::SixtyFourBit, into);
                into.extend(value.to_le_bytes());
            }
            Self::Fixed32(value) => {
                encode_key(number, WireType::ThirtyTwoBit, into);
                into.extend(value.to_le_bytes());
            }
            Self::Bytes(bytes) => delimited(number, bytes, into),
            Self::Message(node) => delimited(number, &node.write(), into),
        }
    }
}

fn delimited(number: u32, bytes: &[u8], into: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, into);
    encode_varint(bytes.len() as u64, into);
    into.extend(bytes);
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (front, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*front)
}
