//! Changes to messages, anywhere in them.

use crate::{
    draw::Draw,
    schema::{ANY, Field, Kind, SCHEMA},
    tree::{Node, Value},
};

/// How deep a new message may be.
const DEPTH: usize = 4;

/// Makes one to eight changes. Parts of `others` may be taken over.
pub(crate) fn mutate(draw: &mut Draw<'_>, node: &mut Node, others: &[Node]) {
    for _ in 0..=draw.below(8) {
        let index = draw.below(node.len());
        change(draw, node.at(index), others);
        if draw.is_done() {
            return;
        }
    }
}

fn change(draw: &mut Draw<'_>, node: &mut Node, others: &[Node]) {
    let held = node.fields.len();
    match draw.below(8) {
        // One of its fields, set or added to.
        0..=3 => {
            if let Some(field) = any_field(draw, &node.message) {
                let value = value(draw, &field.kind, DEPTH);
                set(node, &field, value);
            }
        }
        4 if held > 0 => drop(node.fields.remove(draw.below(held))),
        // The same again, which for a list is one more entry.
        5 if held > 0 => {
            let again = node.fields[draw.below(held)].clone();
            for _ in 0..=draw.below(4) {
                node.fields.push(again.clone());
            }
        }
        // Another value in place of the one that is there.
        6 if held > 0 => {
            let at = draw.below(held);
            let number = node.fields[at].0;
            if let Some(field) = SCHEMA.field(&node.message, number) {
                node.fields[at].1 = value(draw, &field.kind, DEPTH);
            }
        }
        // The whole message as it is elsewhere.
        _ if !others.is_empty() => {
            let mut other = draw.pick(others).clone();
            let start = draw.below(other.len());
            for index in start..other.len() {
                if other.at(index).message == node.message {
                    *node = other.at(index).clone();
                    return;
                }
            }
        }
        _ => {}
    }
}

fn any_field(draw: &mut Draw<'_>, message: &str) -> Option<Field> {
    let fields = SCHEMA.fields(message);
    (!fields.is_empty()).then(|| draw.pick(fields).clone())
}

fn set(node: &mut Node, field: &Field, value: Value) {
    if !field.repeated {
        node.fields.retain(|(number, _)| *number != field.number);
    }
    node.fields.push((field.number, value));
}

/// Any value of that kind; messages are mostly small.
pub(crate) fn value(draw: &mut Draw<'_>, kind: &Kind, depth: usize) -> Value {
    match kind {
        Kind::Varint => Value::Varint(draw.number()),
        Kind::Fixed64 => Value::Fixed64(draw.float().to_bits()),
        Kind::Fixed32 => Value::Fixed32((draw.float() as f32).to_bits()),
        Kind::Text => Value::Bytes(draw.text().into_bytes()),
        Kind::Bytes => Value::Bytes(draw.bytes(24).to_vec()),
        Kind::Message(message) if message == ANY => Value::Message(any(draw, depth)),
        Kind::Message(message) => Value::Message(make(draw, message, depth)),
        Kind::Choice(name) => panic!("{name} is resolved"),
    }
}

fn make(draw: &mut Draw<'_>, message: &str, depth: usize) -> Node {
    let mut node = Node::new(message);
    if depth > 0 {
        for _ in 0..draw.below(4) {
            if let Some(field) = any_field(draw, message) {
                let value = value(draw, &field.kind, depth - 1);
                set(&mut node, &field, value);
            }
        }
    }
    node
}

/// Any message that there is, under its URL.
fn any(draw: &mut Draw<'_>, depth: usize) -> Node {
    let url = draw.pick(SCHEMA.urls());
    let message = SCHEMA.of_url(url).unwrap();
    let inner = make(draw, message, depth.saturating_sub(1));
    let mut node = Node::new(ANY);
    node.fields = vec![
        (1, Value::Bytes(url.clone().into_bytes())),
        (2, Value::Message(inner)),
    ];
    node
}
