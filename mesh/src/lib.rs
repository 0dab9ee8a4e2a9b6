//! A service mesh inside the program: xDS-driven calls for tonic and hyper.
