//! The place that is being read, kept on the stack and written out only when there is something to
//! say about it: a table of ten thousand routes must not build a hundred thousand paths.

use mesh_core::config::FieldPath;

/// A place in a resource.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    parent: Option<&'a Self>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a str),
    Index(usize),
    Key(&'a str),
}

impl At<'static> {
    /// The resource itself.
    pub(super) const ROOT: Self = Self {
        parent: None,
        step: Step::Root,
    };
}

impl At<'_> {
    /// The field `name` of the message here.
    pub(super) const fn field<'b>(&'b self, name: &'b str) -> At<'b> {
        self.step(Step::Field(name))
    }

    /// The `index`th entry of the list here.
    pub(super) const fn index(&self, index: usize) -> At<'_> {
        self.step(Step::Index(index))
    }

    /// The entry under `key` of the map here.
    pub(super) const fn key<'b>(&'b self, key: &'b str) -> At<'b> {
        self.step(Step::Key(key))
    }

    const fn step<'b>(&'b self, step: Step<'b>) -> At<'b> {
        At {
            parent: Some(self),
            step,
        }
    }

    /// The place as text.
    pub(super) fn path(&self) -> FieldPath {
        let parent = self.parent.map_or(FieldPath::root(), At::path);
        match self.step {
            Step::Root => parent,
            Step::Field(name) => parent.field(name),
            Step::Index(index) => parent.index(index),
            Step::Key(key) => parent.key(&super::reader::cut(key)),
        }
    }
}
