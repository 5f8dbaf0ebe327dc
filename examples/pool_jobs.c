/* SPDX-License-Identifier: MIT */
/* pool_jobs.c: a worker pool fed by a channel of jobs.
 *
 * Three workers take jobs from one channel, double them, and send the results to another. Closing
 * the jobs ends the workers' loops. Results arrive in any order: each one carries its job, and main
 * files it where it belongs.
 */
#include <gort.h>
#include <gort/short.h>
#include <stdio.h>

enum { JOBS = 9, WORKERS = 3 };

struct result {
    int job, value;
};

static void worker(recv_chan(int) jobs, send_chan(struct result) results)
{
    chan_for(job, jobs) {
        struct result r = { job, job * 2 };
        chan_send(results, r);
    }
}

int main(void)
{
    chan(int) jobs = chan_make(int, JOBS);
    chan(struct result) results = chan_make(struct result, JOBS);
    go_waitgroup wg = { 0 };

    for (int w = 0; w < WORKERS; w++) {
        wg_go(&wg, worker, jobs, results);
    }
    for (int j = 1; j <= JOBS; j++) {
        chan_send(jobs, j);
    }
    chan_close(jobs);

    int doubled[JOBS + 1] = { 0 };
    for (int i = 0; i < JOBS; i++) {
        struct result r = chan_recv(results);
        doubled[r.job] = r.value;
    }
    for (int j = 1; j <= JOBS; j++) {
        printf("%d x 2 = %d\n", j, doubled[j]);
    }

    wg_wait(&wg); /* the last worker has left its channels */
    chan_free(jobs);
    chan_free(results);
    return 0;
}
