//! News of what is plugged in, from udev: it comes when udev is done with a device, so that its permissions
//! and names are right already. The kernel's own news would come before that.
//!
//! Whoever listens looks at the machine anew after each; what a message says is not used further. Where
//! there is no netlink or no udev (a container), nobody tells, and looking from time to time must do.

use super::uevent;
use rustix::cmsg_space;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketFlags, SocketType, bind, recvmsg,
    socket_with, sockopt,
};
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

/// The multicast group of udev; 1 is the kernel's.
const UDEV: u32 = 2;
/// The longest message; udev's are some 2 KiB.
const MESSAGE: usize = 16 * 1024;

pub struct News {
    socket: OwnedFd,
}

impl News {
    /// # Errors
    /// There is no netlink here.
    pub fn open() -> io::Result<News> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(KOBJECT_UEVENT))?;
        // Before anything can arrive: the sender is checked.
        sockopt::set_socket_passcred(&socket, true)?;
        bind(&socket, &SocketAddrNetlink::new(0, UDEV))?;
        Ok(News { socket })
    }

    /// Waits `at_most` so long; `true` as soon as something of ours came, went or changed.
    pub fn wait(&mut self, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        loop {
            let mut news = false;
            // Everything that has come so far is one piece of news.
            loop {
                match self.receive() {
                    Ok(ours) => news |= ours,
                    // Some were lost: something happened.
                    Err(Errno::NOBUFS) => news = true,
                    Err(_) => break,
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if news || left.is_zero() {
                return news;
            }
            let Ok(wait) = Timespec::try_from(left) else { return false };
            let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
            if poll(&mut fds, Some(&wait)).is_err() {
                thread::sleep(left.min(Duration::from_millis(100)));
            }
        }
    }

    /// One message, and whether it is one of udev's that matters.
    fn receive(&mut self) -> Result<bool, Errno> {
        let mut bytes = vec![0; MESSAGE];
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmCredentials(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let got = recvmsg(&self.socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::empty())?;
        let root = control.drain().any(|m| matches!(m, RecvAncillaryMessage::ScmCredentials(c) if c.uid.is_root()));
        // To the group, not to us alone: only root may send to it.
        let group = got.address.and_then(|a| SocketAddrNetlink::try_from(a).ok()).map_or(0, |a| a.groups());
        Ok(root && group == UDEV && uevent::matters(&bytes[..got.bytes.min(MESSAGE)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_news_the_time_is_waited_out() {
        // A machine without netlink has no News at all, and that is no failure.
        if let Ok(mut news) = News::open() {
            let began = Instant::now();
            let told = news.wait(Duration::from_millis(20));
            assert!(told || began.elapsed() >= Duration::from_millis(20));
        }
    }
}
