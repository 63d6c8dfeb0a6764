/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An LMDB environment as others write theirs, for tests of reading it.
 *
 *     make_lmdb FOLDER [KEY FILE]...      KEY "#5" is the number 5, as integer keys are stored
 *     make_lmdb FILE. [KEY FILE]...       a name that ends in a dot: one file, without it, and no folder
 */
#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int status)
{
    if (status) {
        fprintf(stderr, "%s\n", mdb_strerror(status));
        exit(EXIT_FAILURE);
    }
}

static void put(MDB_txn *txn, MDB_dbi base, const char *name, const char *path)
{
    static char data[1 << 20];
    FILE *file = fopen(path, "rb");
    uint32_t number = *name == '#' ? (uint32_t)atoi(name + 1) : 0;
    MDB_val key = {strlen(name), (void *)name}, value = {0, data};

    if (!file) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    if (*name == '#')
        key = (MDB_val){sizeof number, &number};
    value.mv_size = fread(data, 1, sizeof data, file);
    fclose(file);
    must(mdb_put(txn, base, &key, &value, 0));
}

int main(int argc, char **argv)
{
    const size_t n = argc > 1 ? strlen(argv[1]) : 0;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi base;
    int flags = 0;

    if (!n)
        return EXIT_FAILURE;
    if (argv[1][n - 1] == '.') {
        argv[1][n - 1] = '\0';
        flags = MDB_NOSUBDIR;
    }
    must(mdb_env_create(&env));
    must(mdb_env_set_mapsize(env, (size_t)1 << 30));
    must(mdb_env_open(env, argv[1], (unsigned)flags, 0644));
    must(mdb_txn_begin(env, NULL, 0, &txn));
    must(mdb_dbi_open(txn, NULL, 0, &base));
    for (int i = 2; i + 1 < argc; i += 2)
        put(txn, base, argv[i], argv[i + 1]);
    must(mdb_txn_commit(txn));
    mdb_env_close(env);
    return EXIT_SUCCESS;
}
