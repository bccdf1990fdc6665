//! fahrenheit(celsius): a scalar function in Rust, over the structs of flowrun_plugin.h written out.

use std::ffi::{c_char, c_void};
use std::mem::size_of;
use std::ptr::{null, null_mut};

#[repr(C)]
pub struct ArrowArray {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *mut *const c_void,
    children: *mut *mut ArrowArray,
    dictionary: *mut ArrowArray,
    release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    private_data: *mut c_void,
}

#[repr(C)]
pub struct Spec {
    size: u64,
    name: *const c_char,
    summary: *const c_char,
    doc: *const c_char,
    primary: *const c_void,
    options: *const c_void,
    num_options: u64,
    ports: *const c_void,
    num_ports: u64,
    examples: *const c_void,
    num_examples: u64,
}

#[repr(C)]
pub struct Signature {
    size: u64,
    arguments: *const *const c_char,
    num_arguments: u64,
    result: *const c_char,
    call: unsafe extern "C" fn(*mut c_void, *const ArrowArray, *mut ArrowArray, *mut c_void) -> i32,
}

#[repr(C)]
pub struct Scalar {
    size: u64,
    flags: u32,
    reserved: u32,
    signatures: *const *const Signature,
    num_signatures: u64,
}

#[repr(C)]
pub struct Component {
    size: u64,
    kind: i32,
    flags: u32,
    spec: *const Spec,
    table: *const c_void,
    context: *mut c_void,
}

#[repr(C)]
pub struct Plugin {
    size: u64,
    abi_major: i32,
    abi_minor: i32,
    name: *const c_char,
    version: *const c_char,
    components: *const *const Component,
    num_components: u64,
}

/// What a column of ours owns until flowrun releases it.
struct Owned {
    _validity: Vec<u8>,
    _values: Vec<f64>,
    buffers: [*const c_void; 2],
}

unsafe extern "C" fn release(array: *mut ArrowArray) {
    drop(Box::from_raw((*array).private_data as *mut Owned));
    (*array).release = None;
}

unsafe extern "C" fn call(
    _context: *mut c_void,
    arguments: *const ArrowArray,
    result: *mut ArrowArray,
    _error: *mut c_void,
) -> i32 {
    let celsius = &**(*arguments).children;
    let rows = celsius.length as usize;
    let first = celsius.offset as usize;
    let bits = if celsius.null_count == 0 || rows == 0 { null() } else { *celsius.buffers as *const u8 };
    let mut validity = vec![0u8; rows / 8 + 1];
    let mut values = vec![0f64; rows.max(1)];
    let mut nulls = 0;
    for row in 0..rows {
        let at = first + row;
        if bits.is_null() || *bits.add(at / 8) >> (at % 8) & 1 == 1 {
            validity[row / 8] |= 1 << (row % 8);
            values[row] = *(*celsius.buffers.add(1) as *const f64).add(at) * 1.8 + 32.0;
        } else {
            nulls += 1;
        }
    }
    let buffers = [validity.as_ptr() as *const c_void, values.as_ptr() as *const c_void];
    let owned = Box::into_raw(Box::new(Owned { _validity: validity, _values: values, buffers }));
    *result = ArrowArray {
        length: rows as i64,
        null_count: nulls,
        offset: 0,
        n_buffers: 2,
        n_children: 0,
        buffers: (*owned).buffers.as_mut_ptr(),
        children: null_mut(),
        dictionary: null_mut(),
        release: Some(release),
        private_data: owned as *mut c_void,
    };
    0
}

/// Statics that hold pointers to statics: nothing in them ever changes.
struct Shared<T>(T);
unsafe impl<T> Sync for Shared<T> {}

const fn text(bytes: &'static [u8]) -> *const c_char {
    bytes.as_ptr() as *const c_char
}

static ARGUMENTS: Shared<[*const c_char; 1]> = Shared([text(b"double\0")]);
static SIGNATURE: Shared<Signature> = Shared(Signature {
    size: size_of::<Signature>() as u64,
    arguments: &ARGUMENTS.0 as *const _,
    num_arguments: 1,
    result: text(b"double\0"),
    call,
});
static SIGNATURES: Shared<[*const Signature; 1]> = Shared([&SIGNATURE.0]);
static SCALAR: Shared<Scalar> = Shared(Scalar {
    size: size_of::<Scalar>() as u64,
    flags: 0,
    reserved: 0,
    signatures: &SIGNATURES.0 as *const _,
    num_signatures: 1,
});
static SPEC: Shared<Spec> = Shared(Spec {
    size: size_of::<Spec>() as u64,
    name: text(b"fahrenheit\0"),
    summary: text(b"fahrenheit(celsius): the same temperature in degrees Fahrenheit.\0"),
    doc: null(),
    primary: null(),
    options: null(),
    num_options: 0,
    ports: null(),
    num_ports: 0,
    examples: null(),
    num_examples: 0,
});
const KIND_SCALAR: i32 = 5;
static COMPONENT: Shared<Component> = Shared(Component {
    size: size_of::<Component>() as u64,
    kind: KIND_SCALAR,
    flags: 0,
    spec: &SPEC.0,
    table: &SCALAR.0 as *const _ as *const c_void,
    context: null_mut(),
});
static COMPONENTS: Shared<[*const Component; 1]> = Shared([&COMPONENT.0]);
static PLUGIN: Shared<Plugin> = Shared(Plugin {
    size: size_of::<Plugin>() as u64,
    abi_major: 1,
    abi_minor: 0,
    name: text(b"fahrenheit\0"),
    version: text(b"1.0.0\0"),
    components: &COMPONENTS.0 as *const _,
    num_components: 1,
});

#[no_mangle]
pub extern "C" fn flowrun_plugin_v1(_host: *const c_void) -> *const Plugin {
    &PLUGIN.0
}
