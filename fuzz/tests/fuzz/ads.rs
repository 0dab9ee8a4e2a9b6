//! The ADS state machine under any sequence of what can happen to it, with a control plane that
//! says whatever it likes.

mod client;
mod model;

use mesh_xds_client::protocol::Variant;

use self::client::Client;
use crate::{draw::Draw, engine::run};

#[test]
fn sotw() {
    run("ads::sotw", 4_000, |input| play(Variant::Sotw, input));
}

#[test]
fn delta() {
    run("ads::delta", 4_000, |input| play(Variant::Delta, input));
}

fn play(variant: Variant, input: &[u8]) {
    let mut draw = Draw::new(input);
    let mut client = Client::new(&mut draw, variant);
    while !draw.is_done() {
        match draw.below(16) {
            0 | 1 => client.subscribe(&mut draw),
            2 => client.unsubscribe(&mut draw),
            3 => client.connect(&mut draw),
            4 => client.close(&mut draw),
            5 => client.advance(&mut draw),
            6 => client.switch_server(&mut draw),
            7..=9 => client.respond(&mut draw),
            10 => client.respond_anything(&mut draw),
            _ => client.turn(),
        }
    }
    client.end();
}
