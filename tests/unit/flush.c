/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What reaches the disk, seen at the system call: this program's fsync() stands in front of the C library's, fails
 * when it is told to, and remembers what was flushed. After EIO the kernel has thrown the pages away and calls them
 * clean, so that a second fsync() would succeed and lie: it is never made.
 */
#include "base/error.h"
#include "os/file.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 16 };

static struct {
    int reason[MOST]; /* of call i, 0: success */
    ino_t flushed[MOST];
    int calls;
} disk;

int fsync(int fd)
{
    struct stat st;
    int i = disk.calls++;

    if (i >= MOST || fstat(fd, &st)) {
        errno = EBADF;
        return -1;
    }
    disk.flushed[i] = st.st_ino;
    errno = disk.reason[i];
    return disk.reason[i] ? -1 : 0;
}

static char root[64];

static void begin(void)
{
    strcpy(root, "unit_flush_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    memset(&disk, 0, sizeof disk);
}

static void end(void)
{
    char command[96];

    snprintf(command, sizeof command, "rm -rf ./%s", root);
    ck_assert_int_eq(system(command), 0);
}

static const char *path_to(const char *name)
{
    static char path[4][128];
    static int i;

    i = (i + 1) % 4;
    snprintf(path[i], sizeof path[i], "%s/%s", root, name);
    return path[i];
}

static ino_t number_of(const char *path)
{
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    return st.st_ino;
}

static int was_flushed(const char *path)
{
    for (int i = 0; i < disk.calls; i++)
        if (disk.flushed[i] == number_of(path))
            return 1;
    return 0;
}

static int write_file(const char *text)
{
    struct mdm_writer *w;

    ck_assert_int_eq(mdm_writer_open(&w, path_to("file")), MASKDM_OK);
    ck_assert_int_eq(mdm_writer_write(w, text, strlen(text)), MASKDM_OK);
    return mdm_writer_commit(&w);
}

START_TEST(file_and_its_folder)
{
    ck_assert_int_eq(write_file("one"), MASKDM_OK);
    ck_assert_int_eq(disk.calls, 2);
    ck_assert(was_flushed(path_to("file")));
    ck_assert(was_flushed(root));
}
END_TEST

/* Call 0 flushes the file, call 1 the folder. */
START_TEST(refused_once_is_refused)
{
    const int reason = _i % 2 ? ENOSPC : EIO, call = _i / 2;

    disk.reason[call] = reason;
    ck_assert_int_eq(write_file("one"), MASKDM_EIO);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), strerror(reason)));
    ck_assert_int_eq(disk.calls, call + 1);
    if (call == 0)
        ck_assert_int_ne(access(path_to("file"), F_OK), 0); /* what may not be there is not named */
}
END_TEST

START_TEST(interrupted_goes_on)
{
    disk.reason[0] = disk.reason[1] = disk.reason[3] = EINTR;
    ck_assert_int_eq(write_file("one"), MASKDM_OK);
    ck_assert_int_eq(disk.calls, 5);
}
END_TEST

/* A name is on the disk when the folder that holds it is. */
START_TEST(new_folders_are_flushed_into_their_parents)
{
    ck_assert_int_eq(mdm_folder_make(path_to("a/b")), MASKDM_OK);
    ck_assert(was_flushed(root));
    ck_assert(was_flushed(path_to("a")));
    ck_assert_int_eq(disk.calls, 2);
    ck_assert_int_eq(mdm_folder_make(path_to("a/b")), MASKDM_OK);
    ck_assert_int_eq(disk.calls, 2); /* they are there */
    disk.reason[2] = EIO;
    ck_assert_int_eq(mdm_folder_make(path_to("a/c")), MASKDM_EIO);
    ck_assert_int_eq(disk.calls, 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("flush");
    TCase *c = tcase_create("flush");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, file_and_its_folder);
    tcase_add_loop_test(c, refused_once_is_refused, 0, 4);
    tcase_add_test(c, interrupted_goes_on);
    tcase_add_test(c, new_folders_are_flushed_into_their_parents);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
