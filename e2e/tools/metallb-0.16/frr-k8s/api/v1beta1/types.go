// Package v1beta1 stands for the API of frr-k8s v0.0.27, which the Go module proxy does not carry. MetalLB compiles
// against it and touches it in its frr-k8s mode alone; the native mode, which the scenarios run, has no such object.
package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

type SecretReference struct{ Name, Namespace string }

type DynamicASNMode string

type AllowedOutPrefixes struct{ Prefixes []string }

type LocalPrefPrefixes struct {
	Prefixes  []string
	LocalPref uint32
}

type CommunityPrefixes struct {
	Prefixes  []string
	Community string
}

type AsPathPrependPrefixes struct {
	Prefixes      []string
	AsPathPrepend uint8
}

type Advertise struct {
	Allowed                   AllowedOutPrefixes
	PrefixesWithLocalPref     []LocalPrefPrefixes
	PrefixesWithCommunity     []CommunityPrefixes
	PrefixesWithAsPathPrepend []AsPathPrependPrefixes
}

type Neighbor struct {
	ASN                                                                    uint32
	DynamicASN                                                             DynamicASNMode
	Address, Interface                                                     string
	Port                                                                   *uint16
	Password                                                               string
	PasswordSecret                                                         SecretReference
	HoldTime, KeepaliveTime, ConnectTime                                   *metav1.Duration
	EBGPMultiHop, EnableGracefulRestart, DisableMP, DualStackAddressFamily bool
	BFDProfile                                                             string
	ToAdvertise                                                            Advertise
}

type Router struct {
	ASN       uint32
	ID, VRF   string
	Neighbors []Neighbor
	Prefixes  []string
}

type BFDProfile struct {
	Name                                                                          string
	ReceiveInterval, TransmitInterval, DetectMultiplier, EchoInterval, MinimumTTL *uint32
	EchoMode, PassiveMode                                                         *bool
}

type BGPConfig struct {
	Routers     []Router
	BFDProfiles []BFDProfile
}

type FRRConfigurationSpec struct {
	BGP          BGPConfig
	NodeSelector metav1.LabelSelector
}

type FRRConfiguration struct {
	metav1.TypeMeta
	metav1.ObjectMeta
	Spec FRRConfigurationSpec
}

func (in *FRRConfiguration) DeepCopyObject() runtime.Object {
	out := *in
	return &out
}

func (in *FRRConfiguration) DeepCopy() *FRRConfiguration {
	out := *in
	return &out
}

func (in *FRRConfigurationSpec) DeepCopyInto(out *FRRConfigurationSpec) { *out = *in }

func AddToScheme(*runtime.Scheme) error { return nil }
