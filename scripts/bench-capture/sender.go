// Sends small packets at a steady rate and says what each cost: what the kernel does with a packet on its way (bridges, tunnels, packet sockets)
// happens in the call that sends it.
//
//	sender udp|tcp DESTINATION PORT SOURCE-PORT PACKETS-PER-SECOND SECONDS
//	sender sink PORT
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if os.Args[1] == "sink" {
		sink(number(2))
		return
	}
	destination := net.ParseIP(os.Args[2]).To4()
	to := &syscall.SockaddrInet4{Port: number(3), Addr: [4]byte(destination)}
	kind, protocol, payload := syscall.SOCK_DGRAM, 0, make([]byte, 18)
	if os.Args[1] == "tcp" {
		kind, protocol, payload = syscall.SOCK_RAW, syscall.IPPROTO_TCP, segment(sourceTo(destination), destination, number(4), number(3))
	}
	socket, err := syscall.Socket(syscall.AF_INET, kind, protocol)
	check(err)
	if kind == syscall.SOCK_DGRAM {
		check(syscall.Bind(socket, &syscall.SockaddrInet4{Port: number(4)}))
	}
	rate, seconds := number(5), float(6)
	batch := max(1, rate/1000)
	costs := []int64{}
	sent, failed := 0, 0
	began := time.Now()
	for time.Since(began).Seconds() < seconds {
		start := time.Now()
		for range batch {
			if syscall.Sendto(socket, payload, 0, to) != nil {
				failed++
			} else {
				sent++
			}
		}
		costs = append(costs, time.Since(start).Nanoseconds()/int64(batch))
		// Behind its time it goes on at once, until it has caught up.
		time.Sleep(time.Until(began.Add(time.Duration(float64(sent+failed) / float64(rate) * 1e9))))
	}
	slices.Sort(costs)
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"sent": sent, "failed": failed, "seconds": time.Since(began).Seconds(),
		"nanoseconds": costs[len(costs)/20],
	}))
}

// Takes what comes to a port and throws it away, so that nobody answers "port unreachable".
func sink(port int) {
	connection, err := net.ListenUDP("udp4", &net.UDPAddr{Port: port})
	check(err)
	fmt.Println("ready")
	_, err = os.Stdin.Read(make([]byte, 1))
	connection.Close()
	if err != nil {
		os.Exit(0)
	}
}

// A TCP segment with ACK, of no connection: it is answered with RST.
func segment(from, to net.IP, source, destination int) []byte {
	segment := make([]byte, 20)
	binary.BigEndian.PutUint16(segment, uint16(source))
	binary.BigEndian.PutUint16(segment[2:], uint16(destination))
	segment[12], segment[13] = 5<<4, 16
	sum := uint32(syscall.IPPROTO_TCP + len(segment))
	for _, part := range [][]byte{from.To4(), to.To4(), segment} {
		for at := 0; at < len(part); at += 2 {
			sum += uint32(binary.BigEndian.Uint16(part[at:]))
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(segment[16:], ^uint16(sum))
	return segment
}

func sourceTo(destination net.IP) net.IP {
	connection, err := net.Dial("udp4", net.JoinHostPort(destination.String(), "9"))
	check(err)
	defer connection.Close()
	return connection.LocalAddr().(*net.UDPAddr).IP
}

func number(at int) int {
	value, err := strconv.Atoi(os.Args[at])
	check(err)
	return value
}

func float(at int) float64 {
	value, err := strconv.ParseFloat(os.Args[at], 64)
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
