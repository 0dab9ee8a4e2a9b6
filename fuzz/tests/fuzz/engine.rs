//! Runs a target: a fixed number of seeded inputs, or libFuzzer for as long as asked.

/// Runs `test`, known as `name`: first what failed before, then `inputs` made from the seed.
///
/// `MESH_SEED` sets another seed, `MESH_FUZZ_FACTOR` multiplies the number of inputs.
#[cfg(not(fuzzing_libfuzzer))]
pub(crate) fn run(name: &str, inputs: u32, test: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    let engine = seeded::Seeded {
        name: name.to_owned(),
        inputs,
    };
    bolero::TestTarget::new(engine).for_each(test);
}

/// Runs `test`, known as `name`, as `BOLERO_LIBFUZZER_ARGS` says.
#[cfg(fuzzing_libfuzzer)]
pub(crate) fn run(name: &str, _: u32, test: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    bolero::check!(name = name).for_each(test);
}

#[cfg(not(fuzzing_libfuzzer))]
mod seeded {
    use std::{
        fs,
        path::{Path, PathBuf},
        time::Duration,
    };

    use bolero::{Engine, Test, bolero_engine::driver::Options};

    /// An engine that makes the same inputs on every run. bolero's own draws its seeds from the
    /// system.
    pub(super) struct Seeded {
        pub(super) name: String,
        pub(super) inputs: u32,
    }

    impl<T: Test> Engine<T> for Seeded
    where
        T::Value: std::fmt::Debug,
    {
        type Output = ();

        fn run(self, mut test: T, mut options: Options) {
            options.set_shrink_time(Duration::from_secs(2));
            for path in files(&crashes(&self.name)) {
                let input = fs::read(&path).unwrap();
                self.check(&mut test, &input, &options, &path.display().to_string());
            }
            let (seed, factor) = (number("MESH_SEED", 0x5eed), number("MESH_FUZZ_FACTOR", 1));
            println!("MESH_SEED={seed}");
            for index in 0..u64::from(self.inputs) * factor {
                let input = make(seed, index);
                let origin = format!("MESH_SEED={seed}, input {index}");
                self.check(&mut test, &input, &options, &origin);
            }
        }
    }

    impl Seeded {
        fn check<T: Test>(&self, test: &mut T, input: &[u8], options: &Options, origin: &str)
        where
            T::Value: std::fmt::Debug,
        {
            let Err(error) = test.test(&mut &*input) else {
                return;
            };
            let kept = crashes(&self.name);
            let path = kept.join(format!("{:016x}", hash(input)));
            fs::create_dir_all(&kept).unwrap();
            fs::write(&path, input).unwrap();
            let told = match test.shrink(input.to_vec(), None, options) {
                Some(shrunken) => format!("{shrunken:#}"),
                None => error.to_string(),
            };
            let (name, path) = (&self.name, path.display());
            panic!("{name} failed on {origin}, which is kept in {path}:\n{told}");
        }
    }

    /// The input of that number: of any length up to 4,096 bytes, short ones often. Some repeat
    /// a byte, so that choices are made the same way over and over.
    fn make(seed: u64, index: u64) -> Vec<u8> {
        let mut random = fastrand(seed, index);
        let magnitude = 4 + random() % 9;
        let len = random() % (1 << magnitude);
        let favourite = random() as u8;
        let share = random() % 4;
        (0..len)
            .map(|_| {
                let byte = random();
                if (byte >> 8) % 8 < share {
                    favourite
                } else {
                    byte as u8
                }
            })
            .collect()
    }

    fn fastrand(seed: u64, index: u64) -> impl FnMut() -> u64 {
        use mesh_core::entropy::mix;
        let mut state = mix(seed ^ mix(index));
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(state)
        }
    }

    fn hash(input: &[u8]) -> u64 {
        let fold = |hash: u64, byte: &u8| mesh_core::entropy::mix(hash ^ u64::from(*byte));
        input.iter().fold(0, fold)
    }

    /// Where a target keeps what made it fail.
    fn crashes(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../target/fuzz")
            .join(name.replace("::", "-"))
            .join("crashes")
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
        files.sort();
        files
    }

    fn number(name: &str, default: u64) -> u64 {
        match std::env::var(name) {
            Ok(text) => text
                .parse()
                .unwrap_or_else(|_| panic!("{name}={text} is no number")),
            Err(_) => default,
        }
    }
}
