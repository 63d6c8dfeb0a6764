/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An LMDB environment whose values are image files, as LSUN's are. Keys are names, with the labels that folders in
 * them give.
 *
 * liblmdb maps the file and trusts what is in it, and so do we: only its beginning and its length are looked at. The
 * values are files like any other. Nothing is written, no lock is taken: the environment must not change meanwhile.
 * What a read transaction found stays where it is until that ends, so that threads copy out of the map without asking
 * anybody.
 */
#include "data/lmdb_file.h"

#include "base/alloc.h"
#include "base/control.h"
#include "base/error.h"
#include "data/found.h"

#include <errno.h>
#include <lmdb.h>
#include <string.h>

struct source {
    MDB_env *env;
    MDB_txn *txn;
};

static int check(int status, const char *path)
{
    if (status == MDB_SUCCESS)
        return MASKDM_OK;
    return mdm_fail(status == ENOMEM ? MASKDM_ENOMEM
                    : status < 0     ? MASKDM_EFORMAT
                                     : MASKDM_EIO,
                    "%s, an LMDB environment: %s", path, mdb_strerror(status));
}

/* Pages that are in use lie behind the end of a file that was cut, where looking at them would end the process. */
static int check_length(MDB_env *env, uint64_t size, const char *path)
{
    MDB_envinfo info;
    MDB_stat stat;
    uint64_t least;

    MDM_TRY(check(mdb_env_info(env, &info), path));
    MDM_TRY(check(mdb_env_stat(env, &stat), path));
    least = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    return least <= size ? MASKDM_OK
                         : mdm_fail(MASKDM_EFORMAT,
                                    "%s, an LMDB environment, is cut: it has %llu bytes, and its pages end at %llu",
                                    path, (unsigned long long)size, (unsigned long long)least);
}

/* No more than the file is mapped, whatever room was left for it to grow. */
static int open_environment(struct source *o, const char *path)
{
    const unsigned flags = MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS | MDB_NORDAHEAD;
    struct mdm_reader *file;
    enum mdm_file_kind kind;
    uint64_t size;

    MDM_TRY(mdm_lmdb_open_file(&file, path));
    size = mdm_reader_size(file);
    mdm_reader_close(&file);
    MDM_TRY(mdm_file_kind_of(&kind, path));
    MDM_TRY(check(mdb_env_create(&o->env), path));
    MDM_TRY(check(mdb_env_set_mapsize(o->env, (size_t)size), path));
    MDM_TRY(check(mdb_env_open(o->env, path, flags | (kind == MDM_FILE_REGULAR ? MDB_NOSUBDIR : 0), 0), path));
    MDM_TRY(check_length(o->env, size, path));
    return check(mdb_txn_begin(o->env, NULL, MDB_RDONLY, &o->txn), path);
}

/* Whether a key is a name as it stands: text in which no part is empty or leads elsewhere. */
static int is_name(const char *key, size_t n)
{
    for (size_t at = 0, next; at <= n; at = next + 1) {
        const char *slash = memchr(key + at, '/', n - at);
        const size_t length = (slash ? (size_t)(slash - key) : n) - at;

        next = at + length;
        if (!length || (length <= 2 && memcmp(key + at, "..", length) == 0))
            return 0;
    }
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)key[i] < 0x20 || key[i] == 0x7f)
            return 0;
    return 1;
}

/* Any other key is its bytes in hexadecimal digits, such as a number's. */
static int name_key(struct mdm_found *f, const MDB_val *key)
{
    static const char digit[] = "0123456789abcdef";
    const unsigned char *k = key->mv_data;
    size_t n = 0;

    if (is_name(key->mv_data, key->mv_size))
        return mdm_found_name(f, key->mv_data, key->mv_size, 0);
    if (2 * key->mv_size + 3 > sizeof f->name)
        return mdm_fail(MASKDM_EFORMAT, "%s has a key of %zu bytes", f->path, key->mv_size);
    f->name[n++] = '0';
    f->name[n++] = 'x';
    for (size_t i = 0; i < key->mv_size; i++) {
        f->name[n++] = digit[k[i] >> 4];
        f->name[n++] = digit[k[i] & 15];
    }
    f->name[n] = '\0';
    return MASKDM_OK;
}

static int take_entry(struct mdm_found *f, const MDB_val *key, const MDB_val *value)
{
    char *path;

    MDM_TRY(mdm_control_reading(f->control, &f->told, 0, f->scan->count));
    MDM_TRY(name_key(f, key));
    path = mdm_path_join(f->path, f->name);
    return path ? mdm_scan_add(f->scan, path, (int64_t)value->mv_size, -1, (uintptr_t)value->mv_data) : MASKDM_ENOMEM;
}

static int take_entries(struct mdm_found *f, MDB_txn *txn)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    MDB_dbi base;
    int said, r = MASKDM_OK;

    MDM_TRY(check(mdb_dbi_open(txn, NULL, 0, &base), f->path));
    MDM_TRY(check(mdb_cursor_open(txn, base, &cursor), f->path));
    while (r >= 0 && (said = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) != MDB_NOTFOUND)
        r = said ? check(said, f->path) : take_entry(f, &key, &value);
    mdb_cursor_close(cursor);
    return r;
}

static int find(struct mdm_scan *s, const char *path, const struct mdm_scan_except *except, const struct mdm_log *log,
                maskdm_control *control)
{
    struct source *o = s->source = mdm_need(1, sizeof *o, "an LMDB environment");
    struct mdm_found *f = o ? mdm_need(1, sizeof *f, "reading an LMDB environment") : NULL;
    int r;

    (void)except;
    if (!f)
        return MASKDM_ENOMEM;
    mdm_found_begin(f, s, path, log, control);
    r = open_environment(o, path);
    if (r >= 0)
        r = take_entries(f, o->txn);
    r = mdm_found_end(f, r);
    mdm_free(f);
    return r;
}

static int read_bytes(const struct mdm_scan *s, int64_t i, void *out, size_t n, uint64_t at)
{
    memcpy(out, (const char *)(uintptr_t)s->file[i].place + at, n);
    return MASKDM_OK;
}

static void finish(void *source)
{
    struct source *o = source;

    if (o->txn)
        mdb_txn_abort(o->txn);
    if (o->env)
        mdb_env_close(o->env);
    mdm_free(o);
}

const struct mdm_source_class mdm_lmdb_source = {
    .is = mdm_lmdb_is, .find = find, .bytes = read_bytes, .close = finish};
