/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The one way to the file system. Nothing else in the library opens, reads, writes, flushes, renames,
 * unlinks or lists; tests make any of these calls fail through the hooks.
 *
 * Durable writing (doc/formats.md): temporary name in the same folder, flush, rename, flush of the folder;
 * only then is the state acknowledged. A failed flush is never retried: the temporary file is dropped.
 */
#ifndef MASKDM_OS_FILE_H
#define MASKDM_OS_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Called before each operation with its name ("open", "read", "write", "fsync", "rename", "unlink", "mkdir", "stat",
 * "list", "lock", "truncate", "close", "rmdir"); a positive result is the errno with which it then fails. */
struct mdm_file_hook {
    int (*before)(void *user, const char *operation, const char *path);
    void *user;
};
void mdm_file_hook_set(const struct mdm_file_hook *hook);       /* tests only; NULL restores the default */

/* ---- reading: regular files only (a FIFO or device is an error), O_CLOEXEC, size fixed at open ---- */
struct mdm_reader;    /* one open file; read_at may be used from several threads */
int mdm_reader_open(struct mdm_reader **out, const char *path);
void mdm_reader_close(struct mdm_reader **r);
uint64_t mdm_reader_size(const struct mdm_reader *r);
const char *mdm_reader_path(const struct mdm_reader *r);
/* Exactly `bytes` bytes from `offset`; a short file is MASKDM_EIO. */
int mdm_reader_read_at(struct mdm_reader *r, void *buffer, size_t bytes, uint64_t offset);
/* The whole file, at most `limit` bytes, into fresh memory (mdm_free) with a NUL behind it. */
int mdm_file_read_all(char **out, size_t *bytes, const char *path, size_t limit);
/* Visit the lines of a text that the system may make up while it is read (/proc, /sys: their size says nothing),
 * without allocating; lines of 2047 bytes and more are passed over. A positive result of `see` ends the visit and is
 * returned, as is MASKDM_EIO, with nothing recorded, where the file cannot be read. */
int mdm_file_lines(const char *path, int (*see)(void *user, char *line), void *user);

/* ---- writing a whole file so that a cut at any moment leaves the old or the new one ----
 *
 * Symbolic links are followed: the file at their end is replaced, or made, and keeps its permissions. A character
 * device, a pipe with a reader and an open file of this process (/dev/stdout, /dev/fd/3) are written into as they
 * stand; folders, sockets and block devices are refused. */
struct mdm_writer;
int mdm_writer_open(struct mdm_writer **out, const char *path);       /* makes the file's temporary sibling */
/* The same long before there is anything to write, to learn whether it could be: the temporary sibling goes again
 * and comes back with the first write, so that a process killed in between leaves nothing. A stream stays open. */
int mdm_writer_reserve(struct mdm_writer **out, const char *path);
int mdm_writer_write(struct mdm_writer *w, const void *buffer, size_t bytes);
/* Flush, rename, flush the folder; frees in every case. Fails when any write before failed. */
int mdm_writer_commit(struct mdm_writer **w);
void mdm_writer_abandon(struct mdm_writer **w);       /* remove the temporary file; NULL is fine */

/* Whether a writer would write into what stands at `path` instead of replacing it; refuses what it would refuse. */
int mdm_file_is_stream(int *out, const char *path);

/* ---- writing a large file for long: PATH.part, which stays when the work ends early, so that it can go on ---- */
struct mdm_part;
/* *found: there was one with something in it, which is refused unless the work goes on with it. Two cannot have it at
 * once. */
int mdm_part_open(struct mdm_part **out, const char *path, int go_on, int *found);
const char *mdm_part_name(const struct mdm_part *p);
int mdm_part_write(struct mdm_part *p, const void *buffer, size_t bytes, uint64_t at);
int mdm_part_read(struct mdm_part *p, void *buffer, size_t bytes, uint64_t at);
int mdm_part_flush(struct mdm_part *p);    /* what was written before is on the disk when this returns */
int mdm_part_cut(struct mdm_part *p, uint64_t size);
int mdm_part_publish(struct mdm_part **p); /* flush, rename, flush the folder; lets go of it in every case */
void mdm_part_leave(struct mdm_part **p);  /* as it is; NULL inside is fine */

/* ---- appending lines to a log, at the end of its links too, or into a device or a pipe ---- */
struct mdm_appender;
int mdm_appender_open(struct mdm_appender **out, const char *path);
/* One write call where the system takes it whole. A failure cuts the file back, so that no half line stays. */
int mdm_appender_write(struct mdm_appender *a, const void *buffer, size_t bytes);
void mdm_appender_close(struct mdm_appender **a);

/* ---- folders ---- */
enum mdm_file_kind { MDM_FILE_NONE, MDM_FILE_REGULAR, MDM_FILE_FOLDER, MDM_FILE_OTHER };
int mdm_file_kind_of(enum mdm_file_kind *out, const char *path);       /* a missing path is NONE, no error */
int mdm_folder_make(const char *path);    /* parents too, each flushed into its own; existing is fine */
/* Whether files could be made in the folder, or it itself where it is missing; makes nothing. */
int mdm_folder_check(const char *path);
/* To take back what mdm_folder_make() is about to make: the bytes of `path` that are there before it, and the
 * removal of what came behind them, as far as it is still empty. */
size_t mdm_folder_present(const char *path);
void mdm_folder_unmake(const char *path, size_t present);
/* A file or folder that comes with the library, below share/maskdm (mdm_free); MASKDM_ENOTFOUND with where it was
 * looked for. */
int mdm_installed(char **out, const char *name);
/* A module of the library's: in the folder maskdm beside it, beside it as in a build, or where it was configured to
 * be. MASKDM_ENOTFOUND, and nothing recorded, where there is none. */
int mdm_installed_module(char **out, const char *name);
/* Visit the entries of a folder in byte order of their names ("." and ".." left out). Follows links.
 * A negative result of `visit` ends the listing and is returned. */
int mdm_folder_list(const char *path, int (*visit)(void *user, const char *name, enum mdm_file_kind kind),
                    void *user);
/* What stands at a path, links followed; where nothing can be reached, in what way, and the error line says why.
 * Fails only for want of memory or descriptors. */
enum mdm_look_kind {
    MDM_LOOK_FILE,
    MDM_LOOK_FOLDER,
    MDM_LOOK_FIFO,
    MDM_LOOK_SOCKET,
    MDM_LOOK_DEVICE,
    MDM_LOOK_BROKEN_LINK,
    MDM_LOOK_LINK_CIRCLE,
    MDM_LOOK_TOO_LONG, /* the path */
    MDM_LOOK_UNREACHABLE
};
struct mdm_look { enum mdm_look_kind kind; int64_t bytes; };
int mdm_look(struct mdm_look *out, const char *path);
/* Bytes that may still be written where `path` is; fails where the file system does not say. */
int mdm_disk_free(uint64_t *out, const char *path);
/* What tells a folder from every other, whatever links lead to it. */
struct mdm_folder_id { uint64_t device, number; };
int mdm_folder_id(struct mdm_folder_id *out, const char *path);
/* Hold an existing folder until unlocked or until this process ends; MASKDM_EINVAL, naming `what`, while another
 * holds it, in this process or another. Where the file system has no locks (some network ones) everybody gets it. */
struct mdm_folder_lock;
int mdm_folder_lock(struct mdm_folder_lock **out, const char *path, const char *what);
int mdm_folder_is_locked(int *is, const char *path);       /* by anybody */
void mdm_folder_unlock(struct mdm_folder_lock **lock);       /* NULL inside is fine */
int mdm_file_remove(const char *path);    /* a missing file is fine */
/* Remove stale temporary siblings that writers left in a folder, or beside the end of a link in it, and whose process
 * no longer runs on this host. */
int mdm_folder_sweep(const char *path);
/* "a/b" from "a" and "b"; NULL and a recorded MASKDM_ENOMEM when out of memory. */
char *mdm_path_join(const char *folder, const char *name);
/* "a/b" from "a/x" and "b", "b" from "x" and "b": a name in the folder of `path`; as above. */
char *mdm_path_beside(const char *path, const char *name);

#endif
