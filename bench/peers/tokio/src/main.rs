// SPDX-License-Identifier: MIT

//! The same work on Tokio, whose tasks have no stacks. GOMAXPROCS is the number of workers.
//!
//! Tokio has no rendezvous: its ping-pong goes through channels of capacity one. Its channels have
//! one receiver: several consumers share it behind a mutex.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, watch, Mutex};

fn report(name: &str, start: Instant, ops: u64) {
    println!("{} {:.6} ns", name, start.elapsed().as_nanos() as f64 / ops as f64);
}

async fn join_all(tasks: Vec<tokio::task::JoinHandle<()>>) {
    for t in tasks {
        t.await.unwrap();
    }
}

async fn bench_yield(n: u64, members: u64) {
    let start = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..members {
        tasks.push(tokio::spawn(async move {
            for _ in 0..n / members {
                tokio::task::yield_now().await;
            }
        }));
    }
    join_all(tasks).await;
    report("yield", start, n / members * members);
}

async fn bench_spawn(n: u64, batch: u64) {
    let start = Instant::now();
    let mut done = 0;
    while done < n {
        let mut tasks = Vec::with_capacity(batch as usize);
        for _ in 0..batch {
            tasks.push(tokio::spawn(async {}));
        }
        join_all(tasks).await;
        done += batch;
    }
    report("spawn", start, done);
}

async fn bench_pingpong(n: u64) {
    let (there, mut from_there) = mpsc::channel::<u64>(1);
    let (back, mut from_back) = mpsc::channel::<u64>(1);
    let echo = tokio::spawn(async move {
        while let Some(v) = from_there.recv().await {
            if back.send(v).await.is_err() {
                break;
            }
        }
    });
    let start = Instant::now();
    for i in 0..n {
        there.send(i).await.unwrap();
        assert_eq!(from_back.recv().await, Some(i));
    }
    report("pingpong", start, n);
    drop(there);
    echo.await.unwrap();
}

async fn bench_prodcons(n: u64, capacity: u64, producers: u64, consumers: u64) {
    let (tx, rx) = mpsc::channel::<u64>(capacity as usize);
    let rx = Arc::new(Mutex::new(rx));
    let start = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..consumers {
        let rx = rx.clone();
        tasks.push(tokio::spawn(async move {
            loop {
                let v = rx.lock().await.recv().await;
                if v.is_none() {
                    break;
                }
            }
        }));
    }
    for _ in 0..producers {
        let tx = tx.clone();
        tasks.push(tokio::spawn(async move {
            for i in 0..n / producers {
                tx.send(i).await.unwrap();
            }
        }));
    }
    drop(tx);
    join_all(tasks).await;
    report("prodcons", start, n / producers * producers);
}

async fn bench_mutex(n: u64, members: u64) {
    let counter = Arc::new(Mutex::new(0u64));
    let start = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..members {
        let counter = counter.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..n / members {
                *counter.lock().await += 1;
            }
        }));
    }
    join_all(tasks).await;
    report("mutex", start, n / members * members);
}

fn skynet_node(up: mpsc::Sender<u64>, number: u64, size: u64)
    -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if size == 1 {
            up.send(number).await.unwrap();
            return;
        }
        let (tx, mut rx) = mpsc::channel::<u64>(10);
        let part = size / 10;
        for i in 0..10 {
            tokio::spawn(skynet_node(tx.clone(), number + i * part, part));
        }
        let mut sum = 0;
        for _ in 0..10 {
            sum += rx.recv().await.unwrap();
        }
        up.send(sum).await.unwrap();
    })
}

async fn bench_skynet(n: u64) {
    let (tx, mut rx) = mpsc::channel::<u64>(1);
    let start = Instant::now();
    tokio::spawn(skynet_node(tx, 0, n));
    let sum = rx.recv().await.unwrap();
    println!("skynet {:.6} ms", start.elapsed().as_secs_f64() * 1e3);
    println!("skynet.peak {:.6} MB", status_bytes("VmHWM:", "VmPTE:") as f64 / 1e6);
    assert_eq!(sum, n * (n - 1) / 2);
}

fn status_bytes(first: &str, second: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let wanted = |l: &&str| l.starts_with(first) || l.starts_with(second);
    let kb = |l: &str| l.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap();
    text.lines().filter(wanted).map(kb).sum::<u64>() * 1024
}

async fn bench_parked(n: u64) {
    let (gate, opened) = watch::channel(false);
    let before = status_bytes("VmRSS:", "VmPTE:");
    let start = Instant::now();
    let mut tasks = Vec::with_capacity(n as usize);
    for _ in 0..n {
        let mut opened = opened.clone();
        tasks.push(tokio::spawn(async move {
            opened.changed().await.unwrap();
        }));
    }
    tokio::task::yield_now().await;
    println!("parked.spawn {:.6} ns", start.elapsed().as_nanos() as f64 / n as f64);
    let bytes = status_bytes("VmRSS:", "VmPTE:") - before;
    println!("parked.bytes {:.6} B", bytes as f64 / n as f64);
    let start = Instant::now();
    gate.send(true).unwrap();
    join_all(tasks).await;
    println!("parked.wake {:.6} ns", start.elapsed().as_nanos() as f64 / n as f64);
}

async fn run(name: String, n: u64, args: Vec<u64>) {
    let arg = |i: usize, fallback: u64| *args.get(i).unwrap_or(&fallback);
    match name.as_str() {
        "yield" => bench_yield(n, arg(0, 2)).await,
        "spawn" => bench_spawn(n, arg(0, 1000)).await,
        "pingpong" => bench_pingpong(n).await,
        "prodcons" => bench_prodcons(n, arg(0, 100), arg(1, 1), arg(2, 1)).await,
        "mutex" => bench_mutex(n, arg(0, 8)).await,
        "skynet" => bench_skynet(n).await,
        "parked" => bench_parked(n).await,
        _ => {
            eprintln!("usage: bench_tokio yield|spawn|pingpong|prodcons|mutex|skynet|parked N ...");
            std::process::exit(2);
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let name = args.get(1).cloned().unwrap_or_default();
    let numbers: Vec<u64> = args.iter().skip(2).map(|a| a.parse().expect("a number")).collect();
    let n = *numbers.first().unwrap_or(&100000);
    let rest = numbers.iter().skip(1).copied().collect();
    let workers = std::env::var("GOMAXPROCS").ok().and_then(|v| v.parse().ok()).unwrap_or(1);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_time()
        .build()
        .unwrap();
    // In a task, as the goroutine of main is one, and not on the thread outside.
    runtime.block_on(async move { tokio::spawn(run(name, n, rest)).await.unwrap() });
}
