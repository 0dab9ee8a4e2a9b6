//! The messages of mesh-proto with their fields, read from its generated source: what prost knows
//! at compile time, for making messages of any shape at run time.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
    sync::LazyLock,
};

/// The schema.
pub(crate) static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::read);

/// `google.protobuf.Any`.
pub(crate) const ANY: &str = "google::protobuf::Any";

/// All messages.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    /// By their path in Rust below the crate.
    messages: HashMap<String, Vec<Field>>,
    /// The messages of one `oneof` each.
    choices: HashMap<String, Vec<Field>>,
    /// Type URLs, and the message of each.
    urls: BTreeMap<String, String>,
    url_list: Vec<String>,
}

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) kind: Kind,
    pub(crate) repeated: bool,
}

/// What is in a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Varint,
    Fixed64,
    Fixed32,
    Text,
    Bytes,
    Message(String),
    /// Only while the source is read: the fields of this enumeration.
    Choice(String),
}

impl Schema {
    pub(crate) fn fields(&self, message: &str) -> &[Field] {
        self.messages.get(message).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn field(&self, message: &str, number: u32) -> Option<&Field> {
        let mut fields = self.fields(message).iter();
        fields.find(|field| field.number == number)
    }

    /// The message that travels under a type URL.
    pub(crate) fn of_url(&self, url: &str) -> Option<&str> {
        self.urls.get(url).map(String::as_str)
    }

    pub(crate) fn urls(&self) -> &[String] {
        &self.url_list
    }

    fn read() -> Self {
        let mut schema = Self::default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mesh-proto/src/generated");
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let package = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if package != "mod" {
                let modules = package.split('.').map(str::to_owned).collect();
                Source::new(&mut schema, modules).read(&fs::read_to_string(&path).unwrap());
            }
        }
        schema.add_well_known();
        schema.resolve_choices();
        schema.url_list = schema.urls.keys().cloned().collect();
        schema
    }

    fn add(&mut self, name: &str, fields: &[(u32, Kind)]) {
        let fields = fields.iter().map(|(number, kind)| Field {
            number: *number,
            kind: kind.clone(),
            repeated: name.ends_with("ListValue") || name.ends_with("Struct"),
        });
        self.messages.insert(name.to_owned(), fields.collect());
    }

    fn add_well_known(&mut self) {
        use Kind::{Bytes, Fixed32, Fixed64, Message, Text, Varint};
        let message = |name: &str| Message(format!("google::protobuf::{name}"));
        self.add(ANY, &[(1, Text), (2, Bytes)]);
        for name in ["Duration", "Timestamp"] {
            let name = format!("google::protobuf::{name}");
            self.add(&name, &[(1, Varint), (2, Varint)]);
        }
        let entry = map_entry(self, Text, message("Value"));
        self.add("google::protobuf::Struct", &[(1, entry)]);
        self.add("google::protobuf::ListValue", &[(1, message("Value"))]);
        self.add(
            "google::protobuf::Value",
            &[
                (1, Varint),
                (2, Fixed64),
                (3, Text),
                (4, Varint),
                (5, message("Struct")),
                (6, message("ListValue")),
            ],
        );
        for (name, kind) in [
            ("wrapped varint", Varint),
            ("wrapped fixed64", Fixed64),
            ("wrapped fixed32", Fixed32),
            ("wrapped text", Text),
            ("wrapped bytes", Bytes),
        ] {
            self.add(name, &[(1, kind)]);
        }
        self.add("empty", &[]);
        for name in ["Duration", "Struct", "Timestamp", "Value"] {
            let url = format!("type.googleapis.com/google.protobuf.{name}");
            self.urls.insert(url, format!("google::protobuf::{name}"));
        }
    }

    fn resolve_choices(&mut self) {
        for fields in self.messages.values_mut() {
            let resolved = fields.drain(..).flat_map(|field| match &field.kind {
                Kind::Choice(name) => self.choices[name].clone(),
                _ => vec![field],
            });
            *fields = resolved.collect();
        }
    }
}

fn map_entry(schema: &mut Schema, key: Kind, value: Kind) -> Kind {
    let name = format!("entry of {key:?}, {value:?}");
    schema.add(&name, &[(1, key), (2, value)]);
    Kind::Message(name)
}

/// One generated file being read, line by line; rustfmt's layout is relied upon.
struct Source<'s> {
    schema: &'s mut Schema,
    modules: Vec<String>,
    scopes: Vec<Scope>,
}

enum Scope {
    Module,
    Struct(String),
    Enum(String),
    Url(String),
    Other,
}

impl<'s> Source<'s> {
    fn new(schema: &'s mut Schema, modules: Vec<String>) -> Self {
        Self {
            schema,
            modules,
            scopes: Vec::new(),
        }
    }

    fn read(&mut self, text: &str) {
        let mut lines = text.lines().map(str::trim);
        let mut attribute = None;
        while let Some(line) = lines.next() {
            if line.starts_with("#[prost(") {
                attribute = Some(joined(line, &mut lines, ")]"));
            } else if let Some(attribute) = attribute.take() {
                let member = joined(line, &mut lines, ",");
                self.member(&attribute, &member);
            } else {
                self.structure(line);
            }
        }
    }

    /// A line that opens or closes something, or tells a type URL.
    fn structure(&mut self, line: &str) {
        if line.starts_with('}') && matches!(self.scopes.pop(), Some(Scope::Module)) {
            self.modules.pop();
        }
        if let Some((_, url)) = line.split_once("\"type.googleapis.com/")
            && let Some(Scope::Url(message)) = self.scopes.last()
        {
            let url = format!("type.googleapis.com/{}", url.trim_end_matches("\";"));
            self.schema.urls.insert(url, message.clone());
        }
        let name = |line: &str| line.trim_end_matches(['{', '}', ' ']).to_owned();
        if let Some(rest) = line.strip_prefix("pub struct ") {
            let path = self.path(&name(rest));
            self.schema.messages.insert(path.clone(), Vec::new());
            self.open(line, Scope::Struct(path));
        } else if let Some(rest) = line.strip_prefix("pub enum ") {
            let path = self.path(&name(rest));
            self.open(line, Scope::Enum(path));
        } else if let Some(rest) = line.strip_prefix("pub mod ") {
            self.modules.push(name(rest));
            self.open(line, Scope::Module);
        } else if let Some(rest) = line.strip_prefix("impl crate::TypeUrl for ") {
            let path = self.path(&name(rest));
            self.open(line, Scope::Url(path));
        } else {
            self.open(line, Scope::Other);
        }
    }

    fn open(&mut self, line: &str, scope: Scope) {
        if line.ends_with('{') {
            self.scopes.push(scope);
        }
    }

    /// A field of a message, or a variant of a `oneof`.
    fn member(&mut self, attribute: &str, member: &str) {
        let inner = attribute
            .trim_start_matches("#[prost(")
            .trim_end_matches(")]");
        let inner = inner.trim_end_matches(',');
        let number = inner.rsplit_once("tag = \"").and_then(|(_, tag)| {
            let (tag, _) = tag.split_once('"')?;
            tag.parse().ok()
        });
        let repeated = inner.contains("repeated") || inner.contains("map = ");
        match self.scopes.last() {
            Some(Scope::Struct(message)) => {
                let message = message.clone();
                let (_, ty) = member.trim_end_matches(',').split_once(": ").unwrap();
                let kind = self.kind(inner, ty);
                let field = Field {
                    number: number.unwrap_or(0),
                    kind,
                    repeated,
                };
                self.schema.messages.get_mut(&message).unwrap().push(field);
            }
            Some(Scope::Enum(choice)) => {
                let choice = choice.clone();
                let (_, ty) = member.trim_end_matches([',', ')']).split_once('(').unwrap();
                let kind = self.kind(inner, ty.trim_start().trim_end_matches([',', ' ']));
                let field = Field {
                    number: number.unwrap(),
                    kind,
                    repeated,
                };
                self.schema.choices.entry(choice).or_default().push(field);
            }
            _ => panic!("{attribute} {member} stands nowhere"),
        }
    }

    fn kind(&mut self, attribute: &str, ty: &str) -> Kind {
        let ty = bare(ty);
        let word = attribute.split([',', ' ']).next().unwrap();
        match word {
            "bool" | "int32" | "int64" | "uint32" | "uint64" | "enumeration" => Kind::Varint,
            "double" => Kind::Fixed64,
            "float" => Kind::Fixed32,
            "string" => Kind::Text,
            "bytes" | "bytes=" => Kind::Bytes,
            "oneof" => Kind::Choice(self.resolve(ty)),
            "btree_map" => {
                let (_, value) = ty.split_once(',').unwrap();
                let (_, types) = attribute.split_once('"').unwrap();
                let (types, _) = types.split_once('"').unwrap();
                let (key, value_type) = types.split_once(", ").unwrap();
                let value = value.trim().trim_end_matches('>').trim_end_matches(',');
                let (key, value) = (self.kind(key, ""), self.kind(value_type, value));
                map_entry(self.schema, key, value)
            }
            "message" => Kind::Message(match ty {
                "bool" | "u32" | "u64" | "i32" | "i64" => "wrapped varint".to_owned(),
                "f64" => "wrapped fixed64".to_owned(),
                "f32" => "wrapped fixed32".to_owned(),
                "::prost::alloc::string::String" => "wrapped text".to_owned(),
                "::prost::alloc::vec::Vec<u8" | "::prost::bytes::Bytes" => {
                    "wrapped bytes".to_owned()
                }
                "()" | "(" => "empty".to_owned(),
                _ => self.resolve(ty),
            }),
            _ => panic!("{attribute}: {ty} is of no known kind"),
        }
    }

    /// The path below the crate that `ty` stands for in the module being read.
    fn resolve(&self, ty: &str) -> String {
        if let Some(name) = ty.strip_prefix("::prost_types::") {
            return format!("google::protobuf::{name}");
        }
        if let Some(path) = ty.strip_prefix("crate::") {
            return path.replace("r#", "");
        }
        let mut modules = self.modules.clone();
        let mut path = Vec::new();
        for part in ty.split("::") {
            match part {
                "super" => drop(modules.pop()),
                part => path.push(part.trim_start_matches("r#")),
            }
        }
        modules.extend(path.into_iter().map(str::to_owned));
        plain(&modules)
    }

    fn path(&self, name: &str) -> String {
        let mut path = self.modules.clone();
        path.push(name.to_owned());
        plain(&path)
    }
}

fn plain(path: &[String]) -> String {
    path.join("::").replace("r#", "")
}

/// `line` and those after it up to one that ends with `end`.
fn joined<'t>(line: &str, lines: &mut impl Iterator<Item = &'t str>, end: &str) -> String {
    let mut text = line.to_owned();
    let closed = |text: &str| {
        let count = |open| text.matches(open).count();
        text.ends_with(end) && count('(') == count(')') && count('<') == count('>')
    };
    while !closed(&text) {
        text.push_str(lines.next().unwrap());
    }
    text
}

/// A type without its `Option`, `Vec` and `Box`.
fn bare(mut ty: &str) -> &str {
    const AROUND: [&str; 4] = [
        "::core::option::Option<",
        "::prost::alloc::vec::Vec<",
        "::prost::alloc::boxed::Box<",
        "::prost::alloc::collections::BTreeMap<",
    ];
    while let Some(inner) = AROUND.iter().find_map(|around| ty.strip_prefix(around)) {
        if inner == "u8>" {
            break;
        }
        ty = inner
            .strip_suffix('>')
            .unwrap_or(inner)
            .trim_end_matches(',');
    }
    ty
}

#[test]
fn the_schema_is_whole() {
    let schema = &*SCHEMA;
    for (name, fields) in &schema.messages {
        for field in fields {
            assert!(field.number > 0, "{name}");
            if let Kind::Message(inner) = &field.kind {
                assert!(schema.messages.contains_key(inner), "{name} has a {inner}");
            }
        }
    }
    for message in schema.urls.values() {
        assert!(schema.messages.contains_key(message), "{message}");
    }
    let route = "envoy::config::route::v3::RouteAction";
    let kinds = [1, 3, 8, 33].map(|number| schema.field(route, number).unwrap().kind.clone());
    let message = |name: &str| Kind::Message(name.to_owned());
    assert_eq!(
        kinds,
        [
            Kind::Text,
            message("envoy::config::route::v3::WeightedCluster"),
            message("google::protobuf::Duration"),
            message("google::protobuf::Any"),
        ]
    );
    assert!(schema.messages.len() > 400 && schema.urls.len() > 400);
}
