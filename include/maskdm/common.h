/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every other header needs: visibility, status codes, the error line, log messages, version.
 *
 * General rules, said once:
 * - A function that can fail returns MASKDM_OK (0) or a negative status; maskdm_last_error() then has one line
 *   of English for this thread. After any error every object stays usable and unchanged.
 * - maskdm_x_create(&out, ...) gives the caller one reference; on failure *out is NULL. A handle passed to
 *   another create gains a reference of its own, so that handles may be released in any order.
 *   maskdm_x_release(&p) drops a reference, sets p to NULL and accepts NULL.
 * - A function that makes something has its result as the first argument, and a function on a handle that handle;
 *   arrays to be filled come last, with their count.
 * - NULL is an argument only where a header says what it means. Elsewhere it is refused with a line that names the
 *   function and the argument: MASKDM_EINVAL from functions that answer a status or a number, NaN or NULL from
 *   others; nothing is done by functions that answer nothing. An array may be NULL where its count is 0.
 * - No number that is answered is negative but where it is a status, so that none can be taken for another. NaN is
 *   the answer where there is no such number, be it by a mistake or because there is none yet.
 * - Enumerations cross the border as `int`, and a number that is none of theirs is MASKDM_EINVAL with that number.
 * - `const T *` arguments are borrowed until the call returns; returned `const char *` live as long as the
 *   object they came from.
 * - A handle belongs to one thread at a time; different handles may be used by different threads at once.
 * - A call holds the handles that it works on. A second call on one of them, from a callback or from another thread,
 *   returns MASKDM_EBUSY and does nothing, unless the header says that calls may share the handle. One that is
 *   released meanwhile goes when the work ends; the caller's pointer is NULL at once.
 * - Callbacks run on the thread that called the API, with no lock held; only an allocator of the host's
 *   (maskdm_set_allocator()) is called on others too. A non-zero result cancels, and the call returns
 *   MASKDM_ECANCELED. A callback may release every handle, those at work too; it may call getters of all handles, and
 *   any function on handles that are not at work. It must return: to leave it by longjmp() or by an exception is
 *   undefined. From C++ it keeps the exception, cancels, and who called throws it again (examples/cplusplus.cc).
 * - fork() may come at any moment. The child may release the parent's handles, which then only frees memory, and open
 *   its own. Whatever would compute on the parent's device, read or set weights that lie there, or read images of its
 *   data sets is MASKDM_EINVAL there, with a line that says why: the threads behind them stayed in the parent.
 * - Sizes in bytes that are given are size_t; counts, and all that is answered, int64_t. Images are rows x columns x
 *   channels, the channel innermost.
 * - Nothing is printed; the process is never ended; signals, environment, locale and the floating-point
 *   mode of the host are left alone.
 */
#ifndef MASKDM_COMMON_H
#define MASKDM_COMMON_H

#include <maskdm/version.h>

#include <stddef.h>
#include <stdint.h>

/* Who links the static library into a library of his own, and does not want these functions exported from it too,
 * builds it and includes its headers with -DMASKDM_API= . */
#ifndef MASKDM_API
#  if defined(__GNUC__)
#    define MASKDM_API __attribute__((visibility("default")))
#  else
#    define MASKDM_API
#  endif
#endif
#if defined(__GNUC__)
#  define MASKDM_MUST_CHECK __attribute__((warn_unused_result))
#else
#  define MASKDM_MUST_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Outcome of a call. Values never change. */
enum maskdm_status {
    MASKDM_OK         =  0,
    MASKDM_ENOMEM     = -1, /* memory or file descriptors exhausted, or a memory limit would be exceeded */
    MASKDM_EINVAL     = -2, /* an argument or an option is out of range */
    MASKDM_ESHAPE     = -3, /* shapes do not fit together */
    MASKDM_EIO        = -4, /* the operating system refused a file operation; its reason is in the line */
    MASKDM_EFORMAT    = -5, /* the file was read but is not what it claims to be */
    MASKDM_ENOTSUP    = -6, /* this build or device lacks the feature */
    MASKDM_EVERSION   = -7, /* made by or for another version of the library, whose files this one does not read */
    MASKDM_EDEVICE    = -8, /* a device or module reported a failure */
    MASKDM_ECANCELED  = -9, /* a callback or maskdm_control_stop() or _cancel() asked for it */
    MASKDM_ENOTFOUND  = -10, /* no such name, file or checkpoint */
    MASKDM_ENONFINITE = -11, /* too many steps in a row had a loss or gradient that is not finite */
    MASKDM_EBUSY      = -12  /* a handle is at work: used from its own callback, or by two threads at once */
};

/** One line about the last failure on this thread; never NULL, "" when there was none.
 *  Valid until the next call that fails on the same thread. One that succeeds leaves it alone, whatever it got over
 *  on its way, and so do releases, and getters unless they are given NULL. */
MASKDM_API const char *maskdm_last_error(void);

/** The status of the failure that maskdm_last_error() tells of, for those who have the answer of a getter alone;
 *  MASKDM_OK when there was none. */
MASKDM_API int maskdm_last_status(void);

/** "MASKDM_EINVAL" and so on; "unknown status" for other numbers. */
MASKDM_API const char *maskdm_status_name(int status);

/** MASKDM_VERSION of the library that runs, to compare with the header's. */
MASKDM_API int maskdm_version(void);

/** "0.1.0" */
MASKDM_API const char *maskdm_version_string(void);
/** What this build is and has, as one line of JSON for reports and for hosts that choose: version, abi, devices,
 *  instruction_sets, blas (the library that products are left to where no kernel of ours makes them; empty: none),
 *  jpeg, webp, lmdb, yaml. */
MASKDM_API const char *maskdm_build_info(void);

/** At least `size` (never 0) bytes of memory, of any alignment, or NULL where there is none. */
typedef void *(*maskdm_allocate_callback)(void *user, size_t size);
/** Take back what the other one gave; never NULL. */
typedef void (*maskdm_free_callback)(void *user, void *memory);
/**
 * Take all memory of the library from the host: once for the process, before anything else. Both callbacks are called
 * on any thread, several at once, and must not call the library. MASKDM_EBUSY where memory is out, since a block goes
 * back to where it came from; both NULL: the C library's malloc() and free() again, which is how it begins.
 * Memory of libraries below (OpenBLAS, stacks of threads, files of the C library) is theirs. Blocks of a host are not
 * given huge pages. No other thread may be in the library meanwhile.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_set_allocator(maskdm_allocate_callback allocate,
                                                      maskdm_free_callback release, void *user);

enum maskdm_log_level {
    MASKDM_LOG_DEBUG = 0,
    MASKDM_LOG_INFO  = 1,
    MASKDM_LOG_WARN  = 2
};

/** One line of text, without a newline, borrowed for the call. `level` is enum maskdm_log_level. */
typedef void (*maskdm_log_callback)(void *user, int level, const char *line);

/** Take the next bytes of a file, borrowed for the call. Non-zero cancels. */
typedef int (*maskdm_write_callback)(void *user, const void *bytes, size_t size);
/** Give the next bytes of a file, at most `size`: their number, 0 at its end, or a negative one, which cancels. */
typedef int64_t (*maskdm_read_callback)(void *user, void *bytes, size_t size);
/** Lets go of what the host lent to a function that takes one: ownership passes with the call, so it is called
 *  exactly once, with the last reference to what was made, or before the function returns where it fails. */
typedef void (*maskdm_drop_callback)(void *user);

#ifdef __cplusplus
}
#endif

#endif
