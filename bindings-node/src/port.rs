//! Where one environment (the main one, or a worker) meets the runtime's thread.

#![allow(unsafe_code, reason = "Node has a C interface")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::future::{AbortHandle, Abortable};
use napi::bindgen_prelude::Function;
use napi::{Env, JsValue, Result, check_status, sys};
use napi_derive::napi;
use pabbly_connect::bindings::{error_json, panic_json};

use crate::outcome::Outcome;
use crate::queue::{Kind, Queue};
use crate::runtime;

/// Takes what calls tell and hands it to JavaScript, one wake-up for many.
#[napi]
pub struct Port(Rc<Calls>);

#[napi]
impl Port {
    /// `deliver` gets the JSON text of an array: number, kind, value, number, kind, value … where the kind is 0 for
    /// an answer, 1 for an error, 2 for an event (its number is the client's) and 3 for a poll of a wait.
    #[napi(constructor)]
    pub fn new(env: Env, deliver: Function<'_, String, ()>) -> Result<Self> {
        Ok(Self(Calls::new(env, &deliver)?))
    }

    /// Stops a call. Nothing is delivered for it any more.
    #[napi]
    pub fn cancel(&self, env: Env, call: u32) {
        if let Some(running) = self.0.running.borrow_mut().remove(&call) {
            running.abort();
        }
        self.0.rest(env.raw());
    }

    pub(crate) fn calls(&self) -> Rc<Calls> {
        self.0.clone()
    }
}

/// The calls of one environment. Lives on its thread; only the queue is shared.
pub(crate) struct Calls {
    queue: Arc<Queue>,
    running: RefCell<HashMap<u32, AbortHandle>>,
    function: sys::napi_threadsafe_function,
}

impl Calls {
    fn new(env: Env, deliver: &Function<'_, String, ()>) -> Result<Rc<Self>> {
        let name = env.create_string("pabbly-connect")?;
        let mut function = ptr::null_mut();
        let calls = Rc::new_cyclic(|calls| {
            // Freed by `forget`, once the function is gone.
            let context = Box::into_raw(Box::new(calls.clone())).cast();
            // SAFETY: all values belong to this environment, and the context is what `drain` and `forget` expect.
            let status = unsafe {
                sys::napi_create_threadsafe_function(
                    env.raw(),
                    deliver.raw(),
                    ptr::null_mut(),
                    name.raw(),
                    0,
                    1,
                    context,
                    Some(forget),
                    context,
                    Some(drain),
                    &mut function,
                )
            };
            let created = status == sys::Status::napi_ok;
            Self {
                queue: Arc::default(),
                running: RefCell::default(),
                function: if created { function } else { ptr::null_mut() },
            }
        });
        if calls.function.is_null() {
            return Err(napi::Error::from_reason("the environment takes no threadsafe function"));
        }
        calls.rest(env.raw());
        calls.queue.open(calls.function);
        // Added after the function was made, so that it runs before the function is closed.
        env.add_env_cleanup_hook(calls.clone(), |calls| {
            calls.queue.close();
            calls.running.borrow_mut().drain().for_each(|(_, running)| running.abort());
        })?;
        Ok(calls)
    }

    pub(crate) fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }

    /// Runs a call on the runtime's thread. The process stays alive until it ends.
    ///
    /// `call` begins the call there: what is on its way between the threads is small, and what is large is allocated
    /// and freed on one of them.
    pub(crate) fn start<F: Future<Output = Outcome> + Send + 'static>(
        &self,
        env: Env,
        number: u32,
        call: impl FnOnce() -> F + Send + 'static,
    ) -> Result<()> {
        let mut unanswered = Unanswered { queue: self.queue.clone(), number: Some(number) };
        let (handle, registration) = AbortHandle::new_pair();
        runtime::run(Box::new(move || {
            let call = call();
            let task = async move {
                let (kind, json) = match call.await {
                    Ok(json) => (Kind::Value, json),
                    Err(error) => (Kind::Error, error_json(&error).into()),
                };
                unanswered.number = None;
                unanswered.queue.push(number, kind, json);
            };
            // It ends by itself, or it is cancelled: either way there is nothing left to do.
            tokio::spawn(Abortable::new(task, registration));
        }))
        .map_err(|error| napi::Error::from_reason(error.to_string()))?;
        let mut running = self.running.borrow_mut();
        running.insert(number, handle);
        if running.len() == 1 {
            // SAFETY: this is the environment's thread, and the function lives as long as the environment.
            check_status!(unsafe { sys::napi_ref_threadsafe_function(env.raw(), self.function) })?;
        }
        Ok(())
    }

    /// Lets the process end where no call is under way.
    fn rest(&self, env: sys::napi_env) {
        if self.running.borrow().is_empty() {
            // SAFETY: as in `start`. Its status does not matter: the environment may be on its way out.
            unsafe { sys::napi_unref_threadsafe_function(env, self.function) };
        }
    }
}

/// A call that has not come to its end. Should it panic, its caller is told instead of waiting for ever.
struct Unanswered {
    queue: Arc<Queue>,
    number: Option<u32>,
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(number) = self.number
            && std::thread::panicking()
        {
            self.queue.push(number, Kind::Error, panic_json().into());
        }
    }
}

/// Called by Node on the environment's thread after a wake-up.
unsafe extern "C" fn drain(
    env: sys::napi_env,
    deliver: sys::napi_value,
    context: *mut c_void,
    _: *mut c_void,
) {
    if env.is_null() || context.is_null() {
        return; // The environment is going away.
    }
    // SAFETY: `Calls::new` made the context, and `forget` has not run, since the function still exists.
    let Some(calls) = unsafe { &*context.cast::<std::rc::Weak<Calls>>() }.upgrade() else {
        return;
    };
    let batch = calls.queue.take(|number| {
        calls.running.borrow_mut().remove(&number);
    });
    // An answer may start the next call at once, so the process is let go only afterwards.
    // SAFETY: the environment lives and has a scope open; the text is valid for its length.
    unsafe {
        let (mut text, mut this, mut result) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        let length = batch.len().cast_signed();
        let create =
            if batch.is_ascii() { sys::napi_create_string_latin1 } else { sys::napi_create_string_utf8 };
        if create(env, batch.as_ptr().cast(), length, &mut text) == sys::Status::napi_ok
            && sys::napi_get_undefined(env, &mut this) == sys::Status::napi_ok
        {
            // It throws nothing: Node would only warn, and what else is in the batch would be lost.
            sys::napi_call_function(env, this, deliver, 1, &text, &mut result);
        }
    }
    calls.rest(env);
}

/// Called by Node when the function is gone: nothing drains any more.
unsafe extern "C" fn forget(_: sys::napi_env, context: *mut c_void, _: *mut c_void) {
    // SAFETY: made by `Calls::new`, and Node calls this once.
    drop(unsafe { Box::from_raw(context.cast::<std::rc::Weak<Calls>>()) });
}
