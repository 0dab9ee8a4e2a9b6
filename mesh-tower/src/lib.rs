//! The mesh as a Tower stack: layers, connections, pools.
