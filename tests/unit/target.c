/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing to what is no plain file: links stay and lead, devices and pipes are written into, permissions are kept,
 * and a reader that goes away is an error in the host, never a signal.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "os/file.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BIG = 1 << 20 }; /* more than a pipe holds */

static char folder[256], home[1024];

/* Each test stands in a folder of its own, so that bare names do. */
static void setup(void)
{
    const char *base = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/maskdm-target-XXXXXX", base && *base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_ptr_nonnull(getcwd(home, sizeof home));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(mkdir("far", 0777), 0);
}

static void teardown(void)
{
    char command[300];

    mdm_file_hook_set(NULL);
    ck_assert_int_eq(chdir(home), 0);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static int put_bytes(const char *path, const void *bytes, size_t n)
{
    struct mdm_writer *w;
    int status = mdm_writer_open(&w, path);

    if (status == MASKDM_OK)
        status = mdm_writer_write(w, bytes, n);
    if (status == MASKDM_OK)
        return mdm_writer_commit(&w);
    mdm_writer_abandon(&w);
    return status;
}

static int put(const char *path, const char *text)
{
    return put_bytes(path, text, strlen(text));
}

static const char *got(const char *path)
{
    static char out[256];
    char *data;
    size_t n;

    ck_assert_int_eq(mdm_file_read_all(&data, &n, path, sizeof out - 1), MASKDM_OK);
    memcpy(out, data, n + 1);
    mdm_free(data);
    return out;
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    ck_assert_int_eq(lstat(path, &st), 0);
    return st.st_mode;
}

static int count_one(void *user, const char *name, enum mdm_file_kind kind)
{
    (void)name;
    (void)kind;
    ++*(int *)user;
    return 0;
}

static int entries(const char *path)
{
    int n = 0;

    ck_assert_int_eq(mdm_folder_list(path, count_one, &n), MASKDM_OK);
    return n;
}

START_TEST(links_lead_and_stay)
{
    long live = mdm_alloc_live();

    ck_assert_int_eq(put("far/file", "old"), MASKDM_OK);
    ck_assert_int_eq(symlink("far/file", "near"), 0);
    ck_assert_int_eq(symlink("../chain", "far/back"), 0);
    ck_assert_int_eq(symlink("far/../near", "chain"), 0);
    ck_assert_int_eq(symlink("far", "folder"), 0);
    ck_assert_int_eq(put("near", "one"), MASKDM_OK);
    ck_assert_str_eq(got("far/file"), "one");
    ck_assert_int_eq(put("folder/back", "two"), MASKDM_OK);
    ck_assert_str_eq(got("far/file"), "two");
    ck_assert(S_ISLNK(mode_of("near")) && S_ISLNK(mode_of("chain")) && S_ISLNK(mode_of("far/back")));
    ck_assert(S_ISREG(mode_of("far/file")));
    ck_assert_int_eq(entries("far"), 2);
    ck_assert_int_eq(entries("."), 4);
    ck_assert_int_eq(mdm_alloc_live(), live);
}
END_TEST

START_TEST(absolute_and_dangling_links)
{
    char path[400];

    snprintf(path, sizeof path, "%s/far/made", folder);
    ck_assert_int_eq(symlink(path, "absolute"), 0);
    ck_assert_int_eq(symlink("far/made too", "dangling"), 0);
    ck_assert_int_eq(symlink("none/made", "lost"), 0);
    ck_assert_int_eq(symlink("far/folder/", "slash"), 0);
    ck_assert_int_eq(put("absolute", "a"), MASKDM_OK);
    ck_assert_str_eq(got("far/made"), "a");
    ck_assert_int_eq(put("dangling", "b"), MASKDM_OK);
    ck_assert_str_eq(got("far/made too"), "b");
    ck_assert(S_ISLNK(mode_of("absolute")) && S_ISLNK(mode_of("dangling")));
    ck_assert_int_eq(put("lost", "c"), MASKDM_ENOTFOUND);
    ck_assert_str_eq(mdm_error_text(), "lost: cannot write none/made: there is no folder none");
    ck_assert_int_eq(put("slash", "d"), MASKDM_EINVAL);
    ck_assert(S_ISLNK(mode_of("lost")) && S_ISLNK(mode_of("slash")));
}
END_TEST

START_TEST(loops_are_refused)
{
    ck_assert_int_eq(symlink("self", "self"), 0);
    ck_assert_int_eq(symlink("pong", "ping"), 0);
    ck_assert_int_eq(symlink("ping", "pong"), 0);
    ck_assert_int_eq(put("self", "x"), MASKDM_EIO);
    ck_assert_str_eq(mdm_error_text(), "cannot open self: Too many levels of symbolic links");
    ck_assert_int_eq(put("ping", "x"), MASKDM_EIO);
    ck_assert(S_ISLNK(mode_of("self")) && S_ISLNK(mode_of("ping")) && S_ISLNK(mode_of("pong")));
    ck_assert_int_eq(entries("."), 4);
}
END_TEST

/* As many as the system itself follows. */
START_TEST(long_chains_are_followed)
{
    char from[16], to[16];

    for (int i = 0; i < 41; i++) {
        snprintf(from, sizeof from, "l%d", i);
        snprintf(to, sizeof to, "l%d", i + 1);
        ck_assert_int_eq(symlink(i < 40 ? to : "file", from), 0);
    }
    ck_assert_int_eq(put("l0", "x"), MASKDM_EIO);
    ck_assert_int_eq(put("l1", "forty"), MASKDM_OK);
    ck_assert_str_eq(got("file"), "forty");
}
END_TEST

START_TEST(folders_follow_links_too)
{
    ck_assert_int_eq(symlink("far/run", "run"), 0);
    ck_assert_int_eq(mdm_folder_make("run"), MASKDM_OK);
    ck_assert(S_ISDIR(mode_of("far/run")) && S_ISLNK(mode_of("run")));
    ck_assert_int_eq(mdm_folder_make("run/deep"), MASKDM_OK);
    ck_assert(S_ISDIR(mode_of("far/run/deep")));
    ck_assert_int_eq(symlink("none/run", "lost"), 0);
    ck_assert_int_eq(mdm_folder_make("lost"), MASKDM_ENOTFOUND);
}
END_TEST

START_TEST(kinds_that_are_refused)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(put("socket", "x"), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "cannot write socket: it is a socket");
    ck_assert(S_ISSOCK(mode_of("socket")));
    close(fd);
    ck_assert_int_eq(put("far", "x"), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "cannot write far: it is a folder");
    ck_assert_int_eq(symlink("far", "link"), 0);
    ck_assert_int_eq(put("link", "x"), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "link: cannot write far: it is a folder");
    if (mknod("disk", S_IFBLK | 0600, makedev(7, 250)))
        return; /* not for ordinary users */
    ck_assert_int_eq(put("disk", "x"), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "cannot write disk: it is a block device");
    ck_assert(S_ISBLK(mode_of("disk")));
}
END_TEST

START_TEST(devices_are_written_into)
{
    ck_assert_int_eq(put("/dev/null", "x"), MASKDM_OK);
    ck_assert(S_ISCHR(mode_of("/dev/null")));
    ck_assert_int_eq(symlink("/dev/null", "sink"), 0);
    ck_assert_int_eq(put("sink", "x"), MASKDM_OK);
    ck_assert(S_ISLNK(mode_of("sink")) && S_ISCHR(mode_of("/dev/null")));
    ck_assert_int_eq(put("/dev/full", "x"), MASKDM_EIO);
    ck_assert_str_eq(mdm_error_text(), "cannot write /dev/full: No space left on device");
    if (mknod("null", S_IFCHR | 0666, makedev(1, 3)))
        return; /* not for ordinary users */
    if (put("null", "x") != MASKDM_OK)
        ck_assert_ptr_nonnull(strstr(mdm_error_text(), "ermission")); /* mounted without devices */
    ck_assert(S_ISCHR(mode_of("null")));
}
END_TEST

/* Reads all of `path` in a child process, whose exit status says whether it was `n` bytes of value 'b'. */
static pid_t reader(const char *path, size_t n)
{
    static char buffer[65536];
    pid_t child = fork();
    size_t all = 0;
    ssize_t part;
    int fd, wrong = 0;

    ck_assert_int_ge(child, 0);
    if (child)
        return child;
    fd = open(path, O_RDONLY);
    while ((part = read(fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < part; i++)
            wrong |= buffer[i] != 'b';
        all += (size_t)part;
    }
    _exit(wrong || part < 0 || all != n);
}

static int opened_for_reading(const char *path)
{
    int fd;

    do /* until the reader is there */
        fd = open(path, O_WRONLY | O_NONBLOCK);
    while (fd < 0 && errno == ENXIO && !usleep(1000));
    return fd;
}

START_TEST(pipes_are_written_into)
{
    char *bytes = malloc(BIG);
    pid_t child;
    int status, held;

    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 'b', BIG);
    ck_assert_int_eq(mkfifo("pipe", 0600), 0);
    ck_assert_int_eq(put("pipe", "x"), MASKDM_EIO);
    ck_assert_str_eq(mdm_error_text(), "cannot open pipe: nothing reads from it");
    child = reader("pipe", BIG);
    held = opened_for_reading("pipe");
    ck_assert_int_eq(put_bytes("pipe", bytes, BIG), MASKDM_OK);
    close(held);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(S_ISFIFO(mode_of("pipe")));
    ck_assert_int_eq(entries("."), 2);
    free(bytes);
}
END_TEST

static volatile sig_atomic_t broken;

static void on_broken(int number)
{
    broken = number;
}

/* With the default action the process would end, with a handler of the host's it would run. */
START_TEST(reader_that_goes_away_raises_no_signal)
{
    struct sigaction action = {.sa_handler = on_broken}, now;
    struct mdm_appender *log;
    struct mdm_writer *w;
    sigset_t mask, set;
    int fd;

    ck_assert_int_eq(mkfifo("pipe", 0600), 0);
    for (int handled = 0; handled < 2; handled++) {
        if (handled)
            ck_assert_int_eq(sigaction(SIGPIPE, &action, NULL), 0);
        fd = open("pipe", O_RDONLY | O_NONBLOCK);
        ck_assert_int_eq(mdm_writer_open(&w, "pipe"), MASKDM_OK);
        ck_assert_int_eq(mdm_appender_open(&log, "pipe"), MASKDM_OK);
        ck_assert_int_eq(mdm_writer_write(w, "x", 1), MASKDM_OK);
        close(fd);
        ck_assert_int_eq(mdm_writer_write(w, "x", 1), MASKDM_EIO);
        ck_assert_str_eq(mdm_error_text(), "cannot write pipe: Broken pipe");
        ck_assert_int_eq(mdm_appender_write(log, "x", 1), MASKDM_EIO);
        ck_assert_int_eq(mdm_writer_commit(&w), MASKDM_EIO);
        mdm_appender_close(&log);
    }
    ck_assert_int_eq(broken, 0);
    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &now), 0);
    ck_assert(now.sa_handler == on_broken);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    ck_assert(!sigismember(&mask, SIGPIPE));
    ck_assert_int_eq(sigpending(&set), 0);
    ck_assert(!sigismember(&set, SIGPIPE));
}
END_TEST

/* A signal that the host has blocked and not taken yet is the host's. */
START_TEST(signal_of_the_host_stays_pending)
{
    sigset_t pipe_only, set;
    struct mdm_writer *w;
    int fd;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &pipe_only, NULL), 0);
    ck_assert_int_eq(raise(SIGPIPE), 0);
    ck_assert_int_eq(mkfifo("pipe", 0600), 0);
    fd = open("pipe", O_RDONLY | O_NONBLOCK);
    ck_assert_int_eq(mdm_writer_open(&w, "pipe"), MASKDM_OK);
    close(fd);
    ck_assert_int_eq(mdm_writer_write(w, "x", 1), MASKDM_EIO);
    mdm_writer_abandon(&w);
    ck_assert_int_eq(sigpending(&set), 0);
    ck_assert(sigismember(&set, SIGPIPE));
}
END_TEST

/* An open file has a place of its own: what stands there before and after is not touched. */
START_TEST(open_files_of_this_process)
{
    char name[64];
    int ends[2], fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char byte;

    ck_assert_int_eq(access("/proc/self/fd", F_OK), 0);
    ck_assert_int_eq(write(fd, "before ", 7), 7);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ck_assert_int_eq(put(name, "now "), MASKDM_OK);
    ck_assert_int_eq(write(fd, "after", 5), 5);
    ck_assert_str_eq(got("file"), "before now after");
    ck_assert_int_eq(unlink("file"), 0);
    ck_assert_int_eq(put(name, "gone"), MASKDM_OK); /* "file (deleted)" is no name to write to */
    ck_assert_int_eq(lseek(fd, 0, SEEK_END), 20);
    close(fd);
    ck_assert_int_eq(entries("."), 1);
    ck_assert_int_eq(pipe(ends), 0);
    snprintf(name, sizeof name, "/dev/fd/%d", ends[1]);
    ck_assert_int_eq(put(name, "p"), MASKDM_OK);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'p');
    snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    ck_assert_int_eq(put(name, "p"), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "reading only"));
    close(ends[0]);
    close(ends[1]);
    ck_assert_int_lt(put(name, "p"), 0);
    ck_assert_int_eq(dup2(open("out", O_WRONLY | O_CREAT | O_APPEND, 0600), 1), 1);
    ck_assert_int_eq(put("/dev/stdout", "one"), MASKDM_OK);
    ck_assert_int_eq(put("/dev/stdout", "two"), MASKDM_OK);
    ck_assert_str_eq(got("out"), "onetwo");
}
END_TEST

/* Without the check the default action of SIGXFSZ would end this program. */
START_TEST(open_file_at_the_size_limit)
{
    struct rlimit old, small;
    int status, limited, fd = open("file", O_RDWR | O_CREAT | O_APPEND, 0600);
    char name[64];

    ck_assert_int_eq(write(fd, "0123456789", 10), 10);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0); /* what is appended goes to the end from wherever the file stands */
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 12;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    limited = setrlimit(RLIMIT_FSIZE, &small); /* the test program itself may write nothing either */
    status = put(name, "abc");
    (void)setrlimit(RLIMIT_FSIZE, &old);
    ck_assert_int_eq(limited, 0);
    ck_assert_int_eq(status, MASKDM_EIO);
    ck_assert_str_eq(got("file"), "0123456789");
    close(fd);
}
END_TEST

START_TEST(permissions_are_kept)
{
    static const mode_t mode[] = {0600, 0640, 0666, 0444, 0755};
    struct stat before, after;

    for (size_t i = 0; i < sizeof mode / sizeof *mode; i++) {
        ck_assert_int_eq(put("file", "old"), MASKDM_OK);
        ck_assert_int_eq(chmod("file", mode[i]), 0);
        ck_assert_int_eq(put("file", "new"), MASKDM_OK);
        ck_assert_str_eq(got("file"), "new");
        ck_assert_int_eq(mode_of("file") & 0777, mode[i]);
        ck_assert_int_eq(unlink("file"), 0);
    }
    ck_assert_int_eq(symlink("far/file", "link"), 0);
    ck_assert_int_eq(put("far/file", "old"), MASKDM_OK);
    ck_assert_int_eq(chmod("far/file", 0600), 0);
    ck_assert_int_eq(link("far/file", "far/twin"), 0);
    ck_assert_int_eq(stat("far/twin", &before), 0);
    ck_assert_int_eq(put("link", "new"), MASKDM_OK);
    ck_assert_int_eq(mode_of("far/file") & 0777, 0600);
    ck_assert_int_eq(stat("far/twin", &after), 0);
    ck_assert(before.st_ino == after.st_ino);
    ck_assert_str_eq(got("far/twin"), "old"); /* the other name of a hard link keeps the old file */
    if (getuid() == 0) {
        ck_assert_int_eq(chown("far/file", 65534, 65534), 0);
        ck_assert_int_eq(put("link", "newer"), MASKDM_OK);
        ck_assert_int_eq(stat("far/file", &after), 0);
        ck_assert_int_eq(after.st_uid, 65534);
        ck_assert_int_eq(after.st_gid, 65534);
    }
}
END_TEST

/* Who may not give the file to its group gives the new group no more than everybody had. */
START_TEST(another_group_gets_no_more)
{
    struct stat now;
    int status;

    if (getuid() != 0)
        return;
    ck_assert_int_eq(put("far/file", "old"), MASKDM_OK);
    ck_assert_int_eq(chmod("far/file", 0664), 0);
    ck_assert_int_eq(chmod("far", 0777), 0);
    ck_assert_int_eq(chmod(folder, 0777), 0);
    ck_assert(!setegid(65534) && !seteuid(65534));
    status = put("far/file", "new");
    ck_assert(!seteuid(0) && !setegid(0));
    ck_assert_int_eq(status, MASKDM_OK);
    ck_assert_int_eq(stat("far/file", &now), 0);
    ck_assert_int_eq(now.st_uid, 65534);
    ck_assert_int_eq(now.st_mode & 0777, 0644);
}
END_TEST

static mode_t widest; /* of the temporary file, seen at each operation */

static int see_temporary(void *user, const char *name, enum mdm_file_kind kind)
{
    char path[300];

    (void)user;
    (void)kind;
    snprintf(path, sizeof path, "far/%s", name);
    if (strstr(name, ".tmp."))
        widest |= mode_of(path) & 0777;
    return 0;
}

static int watch(void *user, const char *operation, const char *path)
{
    static int inside;

    (void)user;
    (void)operation;
    (void)path;
    if (!inside++)
        (void)mdm_folder_list("far", see_temporary, NULL);
    inside--;
    return 0;
}

START_TEST(secret_file_is_never_open_to_others)
{
    const struct mdm_file_hook hook = {watch, NULL};

    ck_assert_int_eq(put("far/file", "old"), MASKDM_OK);
    ck_assert_int_eq(chmod("far/file", 0600), 0);
    mdm_file_hook_set(&hook);
    ck_assert_int_eq(put("far/file", "new"), MASKDM_OK);
    mdm_file_hook_set(NULL);
    ck_assert_int_eq(widest, 0600);
}
END_TEST

START_TEST(reserving_leaves_nothing)
{
    long live = mdm_alloc_live();
    struct mdm_writer *w;

    ck_assert_int_eq(mdm_writer_reserve(&w, "far/file"), MASKDM_OK);
    ck_assert_int_eq(entries("far"), 0);
    ck_assert_int_eq(mdm_writer_write(w, "text", 4), MASKDM_OK);
    ck_assert_int_eq(mdm_writer_commit(&w), MASKDM_OK);
    ck_assert_str_eq(got("far/file"), "text");
    ck_assert_int_eq(mdm_writer_reserve(&w, "far/file"), MASKDM_OK);
    ck_assert_str_eq(got("far/file"), "text");
    mdm_writer_abandon(&w);
    ck_assert_int_eq(mdm_writer_reserve(&w, "far/file"), MASKDM_OK);
    ck_assert_int_eq(mdm_writer_commit(&w), MASKDM_OK); /* nothing was written: an empty file */
    ck_assert_str_eq(got("far/file"), "");
    ck_assert_int_eq(mdm_writer_reserve(&w, "none/file"), MASKDM_ENOTFOUND);
    ck_assert_int_eq(mdm_writer_reserve(&w, "far"), MASKDM_EINVAL);
    ck_assert_ptr_null(w);
    ck_assert_int_eq(mdm_writer_reserve(&w, "far/other"), MASKDM_OK);
    ck_assert_int_eq(mkdir("far/other", 0777), 0); /* what the place became in the meantime counts */
    ck_assert_int_eq(mdm_writer_write(w, "text", 4), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_writer_commit(&w), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_alloc_live(), live);
}
END_TEST

START_TEST(logs_behind_links_and_into_devices)
{
    struct mdm_appender *log;

    ck_assert_int_eq(symlink("far/log", "log"), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(mdm_appender_open(&log, "log"), MASKDM_OK);
        ck_assert_int_eq(mdm_appender_write(log, "line\n", 5), MASKDM_OK);
        mdm_appender_close(&log);
    }
    ck_assert_str_eq(got("far/log"), "line\nline\n");
    ck_assert(S_ISLNK(mode_of("log")));
    ck_assert_int_eq(mdm_appender_open(&log, "/dev/null"), MASKDM_OK);
    ck_assert_int_eq(mdm_appender_write(log, "line\n", 5), MASKDM_OK);
    mdm_appender_close(&log);
    ck_assert_int_lt(mdm_appender_open(&log, "far"), 0);
}
END_TEST

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    ck_assert_int_ge(fd, 0);
    close(fd);
}

START_TEST(sweep_follows_links)
{
    char mine[100], other[100], longer[100];
    pid_t child = fork();

    if (!child)
        _exit(0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_int_eq(symlink("../far/model", "far/link"), 0);
    ck_assert_int_eq(mkdir("run", 0777), 0);
    ck_assert_int_eq(symlink("../far/link", "run/model.safetensors"), 0);
    snprintf(mine, sizeof mine, "far/.model.tmp.%ld.0123456789abcdef", (long)child);
    snprintf(other, sizeof other, "far/.other.tmp.%ld.0123456789abcdef", (long)child);
    snprintf(longer, sizeof longer, "far/.mod.tmp.%ld.0123456789abcdef", (long)child);
    touch(mine);
    touch(other);
    touch(longer);
    ck_assert_int_eq(mdm_folder_sweep("run"), MASKDM_OK);
    ck_assert_int_ne(access(mine, F_OK), 0);
    ck_assert_int_eq(access(other, F_OK), 0);
    ck_assert_int_eq(access(longer, F_OK), 0);
}
END_TEST

int main(void)
{
    const TTest *test[] = {links_lead_and_stay,
                           absolute_and_dangling_links,
                           loops_are_refused,
                           long_chains_are_followed,
                           folders_follow_links_too,
                           kinds_that_are_refused,
                           devices_are_written_into,
                           pipes_are_written_into,
                           reader_that_goes_away_raises_no_signal,
                           signal_of_the_host_stays_pending,
                           open_files_of_this_process,
                           open_file_at_the_size_limit,
                           permissions_are_kept,
                           another_group_gets_no_more,
                           secret_file_is_never_open_to_others,
                           reserving_leaves_nothing,
                           logs_behind_links_and_into_devices,
                           sweep_follows_links};
    Suite *s = suite_create("target");
    TCase *t = tcase_create("target");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    for (size_t i = 0; i < sizeof test / sizeof *test; i++)
        tcase_add_test(t, test[i]);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
