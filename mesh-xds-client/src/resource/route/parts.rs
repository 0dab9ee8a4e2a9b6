//! A RouteConfiguration in parts.
//!
//! As messages, ten thousand routes take ten times the room of all that is made of them, and what was
//! kept meanwhile lies between the gaps that they leave. So virtual hosts and routes are decoded one
//! at a time, and gone before the next.

use mesh_proto::envoy::config::route::v3::{
    Route as RouteMessage, RouteConfiguration, VirtualHost as HostMessage,
};
use prost::Message;

/// `RouteConfiguration.virtual_hosts` and `VirtualHost.routes`.
const VIRTUAL_HOSTS: u64 = 2;
const ROUTES: u64 = 3;

/// It does not decode, or not in parts: decoded as a whole it says what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::resource) struct Malformed;

/// The virtual hosts of a RouteConfiguration.
pub(in crate::resource) enum Hosts<'a> {
    Decoded(&'a [HostMessage]),
    Encoded(Vec<&'a [u8]>),
}

/// The routes of a virtual host.
pub(super) enum Routes<'a> {
    Decoded(&'a [RouteMessage]),
    Encoded(Vec<&'a [u8]>),
}

/// Takes the virtual hosts out of an encoded RouteConfiguration.
pub(in crate::resource) fn split(
    message: &[u8],
) -> Result<(RouteConfiguration, Hosts<'_>), Malformed> {
    let (rest, hosts) = take_out(VIRTUAL_HOSTS, message).ok_or(Malformed)?;
    Ok((decoded(&rest)?, Hosts::Encoded(hosts)))
}

impl Hosts<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Decoded(hosts) => hosts.len(),
            Self::Encoded(hosts) => hosts.len(),
        }
    }

    /// Shows each host, and its routes apart from it.
    pub(super) fn each(
        &self,
        mut show: impl FnMut(usize, &HostMessage, &Routes<'_>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        match self {
            Self::Decoded(hosts) => {
                let mut hosts = hosts.iter().enumerate();
                hosts.try_for_each(|(i, host)| show(i, host, &Routes::Decoded(&host.routes)))
            }
            Self::Encoded(hosts) => hosts.iter().enumerate().try_for_each(|(i, host)| {
                let (rest, routes) = take_out(ROUTES, host).ok_or(Malformed)?;
                show(i, &decoded(&rest)?, &Routes::Encoded(routes))
            }),
        }
    }
}

impl Routes<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Decoded(routes) => routes.len(),
            Self::Encoded(routes) => routes.len(),
        }
    }

    /// Shows each route.
    pub(super) fn each(&self, mut show: impl FnMut(usize, &RouteMessage)) -> Result<(), Malformed> {
        match self {
            Self::Decoded(routes) => routes.iter().enumerate().for_each(|(i, it)| show(i, it)),
            Self::Encoded(routes) => {
                for (i, route) in routes.iter().enumerate() {
                    show(i, &decoded(route)?);
                }
            }
        }
        Ok(())
    }
}

fn decoded<M: Message + Default>(bytes: &[u8]) -> Result<M, Malformed> {
    M::decode(bytes).map_err(|_| Malformed)
}

/// An encoded message without the field of that number, and what is in that field each time that it
/// comes. `None` if the bytes are no message, or one with the groups of old.
fn take_out(number: u64, message: &[u8]) -> Option<(Vec<u8>, Vec<&[u8]>)> {
    const VARINT: u64 = 0;
    const EIGHT_BYTES: u64 = 1;
    const BYTES: u64 = 2;
    const FOUR_BYTES: u64 = 5;
    let (mut rest, mut taken) = (Vec::new(), Vec::new());
    let mut left = message;
    while !left.is_empty() {
        let field = left;
        let key = varint(&mut left)?;
        match key & 7 {
            VARINT => drop(varint(&mut left)?),
            EIGHT_BYTES => drop(left.split_off(..8)?),
            FOUR_BYTES => drop(left.split_off(..4)?),
            BYTES => {
                let length = usize::try_from(varint(&mut left)?).ok()?;
                let content = left.split_off(..length)?;
                if key >> 3 == number {
                    taken.push(content);
                    continue;
                }
            }
            _ => return None,
        }
        rest.extend_from_slice(&field[..field.len() - left.len()]);
    }
    Some((rest, taken))
}

/// Takes a number of variable length off the front of `bytes`.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
