// The streams of a node that kwok plays: port-forwards lead to ports of this machine, and commands run on
// it. The protocols are the kubelet's own library; kwok's server, which could do it too, loses the exit
// codes of commands.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"

	"k8s.io/apimachinery/pkg/types"
	remoteprotocols "k8s.io/apimachinery/pkg/util/remotecommand"
	terminal "k8s.io/client-go/tools/remotecommand"
	"k8s.io/kubelet/pkg/cri/streaming/portforward"
	"k8s.io/kubelet/pkg/cri/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

const (
	idleTimeout     = time.Hour
	creationTimeout = 30 * time.Second
)

type node struct {
	// JSON: "namespace/pod:port" to a port of this machine. Read for each stream, so it can change.
	forwards string
}

func (n node) PortForward(_ context.Context, pod string, _ types.UID, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	text, err := os.ReadFile(n.forwards)
	if err != nil {
		return err
	}
	local := map[string]int{}
	if err := json.Unmarshal(text, &local); err != nil {
		return err
	}
	target, known := local[fmt.Sprintf("%s:%d", pod, port)]
	if !known {
		return fmt.Errorf("dial tcp4 127.0.0.1:%d: connect: connection refused", port)
	}
	connection, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", target))
	if err != nil {
		return err
	}
	defer connection.Close()
	go func() {
		_, _ = io.Copy(connection, stream)
		connection.Close()
	}()
	_, err = io.Copy(stream, connection)
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (n node) ExecInContainer(ctx context.Context, _ string, _ types.UID, _ string, command []string, in io.Reader, out, errOut io.WriteCloser, _ bool, _ <-chan terminal.TerminalSize, _ time.Duration) error {
	process := exec.CommandContext(ctx, command[0], command[1:]...)
	process.Stdin, process.Stdout, process.Stderr = in, out, errOut
	err := process.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return utilexec.CodeExitError{Err: err, Code: ended.ExitCode()}
	}
	return err
}

func main() {
	listen := flag.String("listen", "", "address to listen on")
	certificate := flag.String("certificate", "", "certificate of this server, and authority of its clients")
	key := flag.String("key", "", "key of the certificate")
	forwards := flag.String("forwards", "", "JSON file: where ports of pods lead to")
	flag.Parse()

	authority, err := os.ReadFile(*certificate)
	if err != nil {
		log.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(authority)

	n := node{forwards: *forwards}
	routes := http.NewServeMux()
	routes.HandleFunc("/portForward/{namespace}/{pod}", func(w http.ResponseWriter, r *http.Request) {
		options, err := portforward.NewV4Options(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		pod := r.PathValue("namespace") + "/" + r.PathValue("pod")
		portforward.ServePortForward(w, r, n, pod, "", options, idleTimeout, creationTimeout, portforward.SupportedProtocols)
	})
	routes.HandleFunc("/exec/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		options, err := remotecommand.NewOptions(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		pod := r.PathValue("namespace") + "/" + r.PathValue("pod")
		command := r.URL.Query()["command"]
		remotecommand.ServeExec(w, r, n, pod, "", r.PathValue("container"), command, options, idleTimeout, creationTimeout, remoteprotocols.SupportedStreamingProtocols)
	})
	server := &http.Server{
		Addr:    *listen,
		Handler: routes,
		// It runs commands: nobody but the API server may ask it. Streams need HTTP/1.1.
		TLSConfig:    &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	log.Fatal(server.ListenAndServeTLS(*certificate, *key))
}
